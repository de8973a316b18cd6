-- The export of one job: what was built, where it lies, and the links to it.
create table habeas.packages (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  job_id      uuid not null,          -- whose work it is; export does not know what a request is
  object_path text not null,
  status      text not null default 'building' check (status in ('building', 'ready', 'expired')),
  bytes       bigint,
  sha256      bytea,
  manifest    jsonb,
  created_at  timestamptz not null default now(),
  ready_at    timestamptz,
  expires_at  timestamptz,
  removed_at  timestamptz,            -- when the object left the bucket
  check ((status = 'building') = (ready_at is null))
);
create unique index packages_one_live_per_job on habeas.packages (job_id) where status in ('building', 'ready');
create index packages_by_job on habeas.packages (tenant_id, job_id);
create index packages_expiring on habeas.packages (expires_at) where removed_at is null;

create table habeas.package_links (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  package_id  uuid not null references habeas.packages on delete cascade,
  token_hash  bytea not null unique,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  revoked_at  timestamptz,
  downloads   integer not null default 0,
  last_downloaded_at timestamptz
);
create index package_links_by_package on habeas.package_links (package_id);

do $$
declare
  name text;
begin
  foreach name in array array['packages', 'package_links'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;
create policy sweep on habeas.packages for select to habeas_sweep using (true);
grant select (id, tenant_id, job_id, status, expires_at, removed_at, created_at) on habeas.packages to habeas_sweep;
create policy owner_checks on habeas.packages for select to habeas_owner using (true);
create policy owner_cascades on habeas.package_links to habeas_owner using (true);
