-- What a host app hears of by itself. An endpoint's secrets are sealed, two may be good at once; a delivery is written
-- in the transaction of what it tells of, tried later, and keeps ids and codes, never a person's data.
create table habeas.webhooks (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  url         text not null,
  types       text[] not null,
  description text,
  created_at  timestamptz not null,
  failing_since timestamptz,          -- the first failure since the last success
  failures    integer not null default 0,  -- in a row
  resume_at   timestamptz,            -- after a failure nothing is sent there before
  busy_until  timestamptz,            -- a worker's claim: one delivery at a time, so that a slow one keeps one worker
  disabled_at timestamptz,
  disabled_because text,              -- a code
  check ((disabled_at is null) = (disabled_because is null))
);
create index webhooks_of_tenant on habeas.webhooks (tenant_id, created_at desc, id);

create table habeas.webhook_secrets (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  webhook_id  uuid not null references habeas.webhooks on delete cascade,
  secret_sealed bytea not null,
  created_at  timestamptz not null,
  expires_at  timestamptz             -- null: until another follows it
);
create index webhook_secrets_of_endpoint on habeas.webhook_secrets (webhook_id);

create table habeas.webhook_deliveries (
  id          uuid primary key default gen_random_uuid(),   -- `webhook-id`: the same, however often it is sent
  tenant_id   uuid not null,
  webhook_id  uuid not null references habeas.webhooks on delete cascade,
  type        text not null,
  body        text not null,          -- as signed and sent, byte for byte, each time
  status      text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts    integer not null default 0,
  round_start integer not null default 0,  -- attempts before somebody asked for it to be sent again
  first_attempt_at timestamptz,
  next_attempt_at timestamptz,
  created_at  timestamptz not null,
  due_since   timestamptz not null,
  finished_at timestamptz,
  response_status integer,
  failure     text,                   -- a code
  check ((status = 'pending') = (next_attempt_at is not null)),
  check ((status = 'pending') = (finished_at is null))
);
create index webhook_deliveries_due on habeas.webhook_deliveries (next_attempt_at, id) where status = 'pending';
create index webhook_deliveries_waiting on habeas.webhook_deliveries (due_since) where status = 'pending';
create index webhook_deliveries_turn on habeas.webhook_deliveries (webhook_id, next_attempt_at, id) where status = 'pending';
create index webhook_deliveries_listing on habeas.webhook_deliveries (webhook_id, created_at desc, id desc);
create index webhook_deliveries_old on habeas.webhook_deliveries (finished_at, id) where status <> 'pending';

do $$
declare
  name text;
begin
  foreach name in array array['webhooks', 'webhook_secrets', 'webhook_deliveries'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;
create policy sweep on habeas.webhooks for select to habeas_sweep using (true);
grant select (id, tenant_id, resume_at, busy_until, disabled_at) on habeas.webhooks to habeas_sweep;
create policy sweep on habeas.webhook_deliveries for select to habeas_sweep using (true);
grant select (id, tenant_id, webhook_id, status, attempts, next_attempt_at, due_since, finished_at)
  on habeas.webhook_deliveries to habeas_sweep;
-- The desk sees that an endpoint was given up, not where it is.
create policy desk on habeas.webhooks for select to habeas_desk using (true);
grant select (id, tenant_id, failing_since, disabled_at, disabled_because) on habeas.webhooks to habeas_desk;
-- Foreign keys are checked, and cascades run, as the owner, whom FORCE binds.
create policy owner_checks on habeas.webhooks for select to habeas_owner using (true);
create policy owner_cascades on habeas.webhook_secrets to habeas_owner using (true);
create policy owner_cascades on habeas.webhook_deliveries to habeas_owner using (true);

-- The age of the oldest thing that is due and not done, by kind: one look at the head of an index each.
create index requests_run_after on habeas.requests (run_after) where closed_at is null and run_after is not null;
create index outbox_waiting on habeas.outbox (created_at) where status = 'pending';
create index tombstones_oldest on habeas.tombstones (due_at) where swept_at is null;
create policy sweep on habeas.request_pauses for select to habeas_sweep using (true);
grant select (request_id, ended_at) on habeas.request_pauses to habeas_sweep;
grant select (decided_at) on habeas.request_parts to habeas_sweep;
-- The object of a package that never became ready is waited for: its worker may be late. Sweeps may know which.
alter table habeas.packages add column was_ready boolean generated always as (manifest is not null) stored;
grant select (was_ready) on habeas.packages to habeas_sweep;

-- Rows that a sweep or a job could not work on: they fail alone, are tried again, and are seen on the desk meanwhile.
create table habeas.stuck_rows (
  tenant_id  uuid not null,
  work       text not null,         -- a sweep, or queue:name
  row_id     uuid not null,
  code       text not null,
  times      integer not null default 1,
  since      timestamptz not null,
  primary key (tenant_id, work, row_id)
);
create index stuck_rows_of_work on habeas.stuck_rows (work, since);
alter table habeas.stuck_rows enable row level security;
alter table habeas.stuck_rows force row level security;
create policy own on habeas.stuck_rows to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update, delete on habeas.stuck_rows to habeas_app;
create policy sweep on habeas.stuck_rows for select to habeas_sweep using (true);
grant select (tenant_id, work, row_id) on habeas.stuck_rows to habeas_sweep;
create policy desk on habeas.stuck_rows for select to habeas_desk using (true);
grant select (tenant_id, work, row_id, code, times, since) on habeas.stuck_rows to habeas_desk;
