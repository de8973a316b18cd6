-- Who was handed a person's data is told of its erasure (GDPR Art. 19): one task for each recipient and tenant that
-- the erasure touches. It holds whom it is about for as long as somebody has to be told, sealed, and no longer.
create table habeas.recipient_tasks (
  id                uuid primary key default gen_random_uuid(),   -- the message's own id, the same in every try
  tenant_id         uuid not null,    -- of the part whose data went
  request_id        uuid not null references habeas.requests on delete cascade,
  request_tenant_id uuid not null,
  erasure_id        uuid not null,
  recipient         text not null,    -- its name in the data map
  title             text not null,
  kind              text not null check (kind in ('webhook', 'http', 'manual')),
  status            text not null default 'open' check (status in ('open', 'told', 'confirmed', 'done', 'failed')),
  facts_sealed      bytea,            -- whom and where
  note_sealed       bytea,            -- a person's words about how it was done
  opened_at         timestamptz not null,
  due_at            timestamptz not null,    -- when somebody should know that it was done
  attempts          integer not null default 0,
  first_attempt_at  timestamptz,      -- patience is counted from here
  next_attempt_at   timestamptz,      -- while a worker tries it, the end of the worker's claim; null: nothing to try
  failure           text,             -- a code, never the recipient's words
  told_at           timestamptz,
  ended_at          timestamptz,      -- done with, or given up: nobody is told any more
  failed_at         timestamptz,
  overdue_at        timestamptz,      -- put on the desk because it was late
  unique (tenant_id, request_id, recipient),
  check (ended_at is null or facts_sealed is null),
  check (next_attempt_at is null or status in ('open', 'told'))
);
create index recipient_tasks_due on habeas.recipient_tasks (next_attempt_at, id) where next_attempt_at is not null;
create index recipient_tasks_open on habeas.recipient_tasks (due_at, id) where ended_at is null;
create index recipient_tasks_by_request on habeas.recipient_tasks (request_id);
alter table habeas.recipient_tasks enable row level security;
alter table habeas.recipient_tasks force row level security;
create policy own on habeas.recipient_tasks to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
-- Who runs the request answers for all of its parts; siblings never see each other.
create policy of_request on habeas.recipient_tasks for select to habeas_app
  using (request_tenant_id = (select habeas.workspace_id()));
grant select, insert, update, delete on habeas.recipient_tasks to habeas_app;
create policy sweep on habeas.recipient_tasks for select to habeas_sweep using (true);
grant select (id, tenant_id, kind, status, next_attempt_at, due_at, ended_at, failed_at, overdue_at)
  on habeas.recipient_tasks to habeas_sweep;
create policy owner_cascades on habeas.recipient_tasks to habeas_owner using (true);
