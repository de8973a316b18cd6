-- One legal matter with one clock and one timeline, and its parts: one per tenant that the matter touches.
create table habeas.requests (
  id               uuid primary key default gen_random_uuid(),
  tenant_id        uuid not null,     -- the host for scope account, else the workspace
  kind             text not null check (kind in ('access', 'deletion')),
  scope            text not null check (scope in ('account', 'person', 'workspace')),
  status           text not null check (status in ('received', 'verifying', 'scheduled', 'in_progress',
                                                   'fulfilled', 'refused', 'withdrawn', 'failed')),
  outcome          text check (outcome in ('full', 'partial', 'no_data')),
  channel          text not null check (channel in ('settings', 'workspace', 'token', 'desk')),
  -- The legal clock, worked out once; due_on changes only by an extension or a pause.
  jurisdiction     text,
  law              text,
  zone             text not null default 'UTC',
  clock            jsonb not null default '{}',
  received_at      timestamptz not null,
  filed_at         timestamptz not null default now(),
  due_on           date,              -- null: contractual (scope workspace), no statutory clock
  original_due_on  date,
  acknowledge_by   date,
  -- Identity: how and when it was proven, never copies of what was seen.
  identity_method  text check (identity_method in ('session', 'link', 'manual', 'authority')),
  identity_proven_at timestamptz,
  language         text,
  -- Personal, sealed, wiped 30 days after the last link ended.
  mail_sealed      bytea,
  details_sealed   bytea,
  contact_wiped_at timestamptz,
  -- What proves compliance stays: a keyed hash of the mail.
  mail_digest      bytea,
  filed_by         text not null,     -- pseudonym, token id or 'host'
  attempts         integer not null default 0,
  next_attempt_at  timestamptz,
  failure          jsonb,
  closed_at        timestamptz,
  updated_at       timestamptz not null default now(),
  check ((closed_at is not null) = (status in ('fulfilled', 'refused', 'withdrawn'))),
  check ((outcome is not null) = (status = 'fulfilled'))
);
create index requests_by_tenant on habeas.requests (tenant_id, filed_at desc, id);
create index requests_open_by_due on habeas.requests (due_on, id) where closed_at is null;
create index requests_by_mail on habeas.requests (mail_digest) where mail_digest is not null;
alter table habeas.requests enable row level security;
alter table habeas.requests force row level security;
create policy own on habeas.requests to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update, delete on habeas.requests to habeas_app;

-- Whose data: frozen when identity is proven.
create table habeas.request_subjects (
  tenant_id  uuid not null,
  request_id uuid not null references habeas.requests on delete cascade,
  kind       text not null,
  key        text not null,
  via        text not null,           -- session | mail | email_verified | authority
  primary key (request_id, kind, key)
);
create index request_subjects_by_person on habeas.request_subjects (kind, key);
alter table habeas.request_subjects enable row level security;
alter table habeas.request_subjects force row level security;
create policy own on habeas.request_subjects to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
create policy self on habeas.request_subjects for select to habeas_self
  using (kind = (select habeas.self_kind()) and key = (select habeas.self_key()));
grant select, insert, delete on habeas.request_subjects to habeas_app;
grant select on habeas.request_subjects to habeas_self;

create policy self on habeas.requests for select to habeas_self
  using (id in (select request_id from habeas.request_subjects));
grant select (id, tenant_id, kind, scope, status, outcome, channel, jurisdiction, law, received_at, filed_at, due_on, closed_at)
  on habeas.requests to habeas_self;

create policy desk on habeas.requests for select to habeas_desk using (true);
grant select (id, tenant_id, kind, scope, status, outcome, channel, jurisdiction, law, received_at, filed_at, due_on,
              acknowledge_by, identity_proven_at, attempts, next_attempt_at, failure, closed_at)
  on habeas.requests to habeas_desk;

create policy sweep on habeas.requests for select to habeas_sweep using (true);
grant select (id, tenant_id, kind, scope, status, received_at, filed_at, due_on, next_attempt_at, attempts, closed_at,
              identity_proven_at, contact_wiped_at)
  on habeas.requests to habeas_sweep;

-- An open, proven matter: the primary key is what lets one of two identical filings win.
create table habeas.open_matters (
  tenant_id  uuid not null,
  kind       text not null,
  scope      text not null,
  subject    text not null,           -- 'workspace', kind:key of the one subject, or a hash of several
  request_id uuid not null references habeas.requests on delete cascade,
  primary key (tenant_id, kind, scope, subject)
);
create index open_matters_by_request on habeas.open_matters (request_id);
alter table habeas.open_matters enable row level security;
alter table habeas.open_matters force row level security;
create policy own on habeas.open_matters to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, delete on habeas.open_matters to habeas_app;

-- A part is visible to its own tenant and to the tenant that runs the request, never to its siblings.
create table habeas.request_parts (
  tenant_id         uuid not null,
  request_id        uuid not null references habeas.requests on delete cascade,
  request_tenant_id uuid not null,
  host_key          text,             -- of the workspace; null for the account part
  kind              text not null,
  scope             text not null,
  policy            text not null check (policy in ('auto', 'approve')),
  decision          text check (decision in ('approved', 'refused', 'left_out')),
  decided_at        timestamptz,
  decided_by        text,
  status            text not null,
  outcome           text,
  received_at       timestamptz not null,
  filed_at          timestamptz not null,
  due_on            date,
  primary key (tenant_id, request_id)
);
create index request_parts_by_request on habeas.request_parts (request_id);
create index request_parts_listing on habeas.request_parts (tenant_id, filed_at desc, request_id);
alter table habeas.request_parts enable row level security;
alter table habeas.request_parts force row level security;
create policy own on habeas.request_parts to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
create policy of_request on habeas.request_parts for select to habeas_app
  using (request_tenant_id = (select habeas.workspace_id()));
grant select, insert, update on habeas.request_parts to habeas_app;
create policy sweep on habeas.request_parts for select to habeas_sweep using (true);
grant select (tenant_id, request_id, request_tenant_id, policy, decision, due_on) on habeas.request_parts to habeas_sweep;
create policy desk on habeas.request_parts for select to habeas_desk using (true);
grant select (tenant_id, request_id, policy, decision, status, outcome) on habeas.request_parts to habeas_desk;

-- Links that prove an address: five at most, each good for seven days and for one proof.
create table habeas.request_verifications (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  request_id  uuid not null references habeas.requests on delete cascade,
  token_hash  bytea not null unique,
  sent_at     timestamptz not null default now(),
  expires_at  timestamptz not null,
  proven_at   timestamptz,
  revoked_at  timestamptz
);
create index request_verifications_by_request on habeas.request_verifications (request_id);

create table habeas.request_extensions (
  request_id uuid primary key references habeas.requests on delete cascade,   -- once
  tenant_id  uuid not null,
  due_on     date not null,
  previous_due_on date not null,
  reason_sealed bytea not null,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table habeas.request_pauses (
  id         uuid primary key default gen_random_uuid(),
  tenant_id  uuid not null,
  request_id uuid not null references habeas.requests on delete cascade,
  reason_sealed bytea not null,
  started_at timestamptz not null default now(),
  ended_at   timestamptz,
  created_by text not null
);
create unique index request_pauses_one_open on habeas.request_pauses (request_id) where ended_at is null;

create table habeas.request_refusals (
  id         uuid primary key default gen_random_uuid(),
  tenant_id  uuid not null,
  request_id uuid not null references habeas.requests on delete cascade,
  part_tenant_id uuid,                -- null: the whole request
  ground     text not null,
  explanation_sealed bytea,
  created_by text not null,
  created_at timestamptz not null default now()
);
create index request_refusals_by_request on habeas.request_refusals (request_id);

create table habeas.request_notes (
  id         uuid primary key default gen_random_uuid(),
  tenant_id  uuid not null,
  request_id uuid not null references habeas.requests on delete cascade,
  text_sealed bytea not null,
  created_by text not null,
  created_at timestamptz not null default now()
);
create index request_notes_by_request on habeas.request_notes (request_id);

do $$
declare
  name text;
begin
  foreach name in array array['request_verifications', 'request_extensions', 'request_pauses', 'request_refusals', 'request_notes'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;

-- Foreign keys are checked, and cascades run, as the owner, whom FORCE binds.
create policy owner_checks on habeas.requests for select to habeas_owner using (true);
create policy owner_cascades on habeas.request_subjects to habeas_owner using (true);
create policy owner_cascades on habeas.open_matters to habeas_owner using (true);
create policy owner_cascades on habeas.request_parts to habeas_owner using (true);
create policy owner_cascades on habeas.request_verifications to habeas_owner using (true);
create policy owner_cascades on habeas.request_extensions to habeas_owner using (true);
create policy owner_cascades on habeas.request_pauses to habeas_owner using (true);
create policy owner_cascades on habeas.request_refusals to habeas_owner using (true);
create policy owner_cascades on habeas.request_notes to habeas_owner using (true);
