-- Who besides people may call: tokens of host apps, and auditors an owner let in.
create table habeas.api_tokens (
  id           uuid primary key default gen_random_uuid(),
  tenant_id    uuid not null,
  name         text not null,
  permissions  text[] not null check (cardinality(permissions) > 0),
  token_hash   bytea not null unique,
  created_by   text not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index api_tokens_by_tenant on habeas.api_tokens (tenant_id, created_at);

create table habeas.auditors (
  id           uuid primary key default gen_random_uuid(),
  tenant_id    uuid not null,
  subject_kind text not null,
  subject_key  text not null,
  granted_by   text not null,
  granted_at   timestamptz not null default now(),
  expires_at   timestamptz,
  revoked_at   timestamptz
);
create unique index auditors_one_grant on habeas.auditors (tenant_id, subject_kind, subject_key) where revoked_at is null;

-- What a write answered, so that a repeated Idempotency-Key gets the same answer and nothing happens twice.
create table habeas.idempotency_keys (
  tenant_id      uuid not null,
  principal      bytea not null,      -- sha256 of who called
  key            text not null,
  request_digest bytea not null,
  status         integer,             -- null: still running
  response       jsonb,
  created_at     timestamptz not null default now(),
  primary key (tenant_id, principal, key)
);
create index idempotency_keys_by_age on habeas.idempotency_keys (created_at);

do $$
declare
  name text;
begin
  foreach name in array array['api_tokens', 'auditors', 'idempotency_keys'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;
create policy self on habeas.auditors for select to habeas_self
  using (subject_kind = (select habeas.self_kind()) and subject_key = (select habeas.self_key()));
grant select on habeas.auditors to habeas_self;
create policy sweep on habeas.idempotency_keys for select to habeas_sweep using (true);
grant select (tenant_id, principal, key, created_at) on habeas.idempotency_keys to habeas_sweep;
