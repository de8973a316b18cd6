-- Mail leaves through here: written in the transaction of what it tells of, sent later, wiped when sent.
create table habeas.outbox (
  id               uuid primary key default gen_random_uuid(),
  tenant_id        uuid not null,
  about            uuid,              -- the request or package it is about
  template         text not null,
  language         text not null default 'en',
  recipient_sealed bytea,
  params_sealed    bytea,
  dedupe_key       text,              -- one mail, however often a step runs
  status           text not null default 'pending' check (status in ('pending', 'sent', 'bounced', 'cancelled')),
  attempts         integer not null default 0,
  first_attempt_at timestamptz,       -- patience is counted from here
  next_attempt_at  timestamptz not null,   -- while a worker tries it, this is the end of the worker's claim
  created_at       timestamptz not null,
  sent_at          timestamptz,
  failure          text,              -- a code, never the server's words, which may quote the address
  unique (tenant_id, dedupe_key),
  check (status = 'pending' or (recipient_sealed is null and params_sealed is null))
);
create index outbox_due on habeas.outbox (next_attempt_at, id) where status = 'pending';
create index outbox_about on habeas.outbox (about);
alter table habeas.outbox enable row level security;
alter table habeas.outbox force row level security;
create policy own on habeas.outbox to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update, delete on habeas.outbox to habeas_app;
create policy sweep on habeas.outbox for select to habeas_sweep using (true);
grant select (id, tenant_id, status, next_attempt_at, created_at, attempts) on habeas.outbox to habeas_sweep;
