-- The audit log. In an event a person is a random pseudonym per tenant and person; every other personal value
-- stands in a disclosure with a salt of its own, while the event keeps a commitment to it. Erasing a person
-- removes mapping and disclosures; the event and its hash never change (invariant 2).

create table habeas.pseudonyms (
  tenant_id    uuid not null,
  subject_kind text not null,
  subject_key  text not null,
  pseudonym    uuid not null default gen_random_uuid(),
  primary key (tenant_id, subject_kind, subject_key),
  unique (tenant_id, pseudonym)
);
alter table habeas.pseudonyms enable row level security;
alter table habeas.pseudonyms force row level security;
create policy own on habeas.pseudonyms to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
create policy self on habeas.pseudonyms for select to habeas_self
  using (subject_kind = (select habeas.self_kind()) and subject_key = (select habeas.self_key()));
create index pseudonyms_by_person on habeas.pseudonyms (subject_kind, subject_key);
grant select, insert on habeas.pseudonyms to habeas_app;
grant select on habeas.pseudonyms to habeas_self;

create table habeas.events (
  tenant_id   uuid not null,
  id          uuid not null,          -- uuid version 7: ordered by time
  occurred_at timestamptz not null default clock_timestamp(),
  action      text not null check (action ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$'),
  outcome     text not null default 'success' check (outcome in ('success', 'failure', 'denied')),
  actor_type  text not null,
  actor_id    text not null,          -- a pseudonym, a token's id, or the name of a job
  targets     jsonb not null default '[]',
  subjects    uuid[] not null default '{}',  -- pseudonyms of every person the event is about or by
  context     jsonb not null default '{}',
  metadata    jsonb not null default '{}',
  commitments jsonb not null default '{}',
  primary key (tenant_id, id)
);
create index events_by_subject on habeas.events using gin (subjects);
create index events_by_actor on habeas.events (tenant_id, actor_id, id);
create index events_by_target on habeas.events using gin (targets jsonb_path_ops);
create index events_by_action on habeas.events (tenant_id, action, id);
alter table habeas.events enable row level security;
alter table habeas.events force row level security;
create policy own on habeas.events to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
create policy self on habeas.events for select to habeas_self
  using (subjects && array(select pseudonym from habeas.pseudonyms));   -- pseudonyms' own policy leaves the person's
-- Append-only: nobody holds UPDATE or DELETE.
grant select, insert on habeas.events to habeas_app;
grant select on habeas.events to habeas_self;

create table habeas.event_disclosures (
  tenant_id uuid not null,
  event_id  uuid not null,
  subject   uuid,                     -- pseudonym of the person whose value it is; null: nobody known
  path      text not null,            -- where in the event it belongs, e.g. context.ip
  salt      bytea not null check (length(salt) = 16),
  value     jsonb not null,
  primary key (tenant_id, event_id, path),
  foreign key (tenant_id, event_id) references habeas.events (tenant_id, id)
);
create index event_disclosures_by_subject on habeas.event_disclosures (tenant_id, subject);
alter table habeas.event_disclosures enable row level security;
alter table habeas.event_disclosures force row level security;
create policy own on habeas.event_disclosures to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
create policy self on habeas.event_disclosures for select to habeas_self
  using (subject = any (array(select pseudonym from habeas.pseudonyms)));
grant select, insert on habeas.event_disclosures to habeas_app;
grant select on habeas.event_disclosures to habeas_self;
-- The owner checks the foreign key; FORCE binds it, so it needs a policy of its own to see the event.
create policy owner_checks on habeas.events for select to habeas_owner using (true);
