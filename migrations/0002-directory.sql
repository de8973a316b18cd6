-- The directory: where a workspace is. Nothing personal, ever; its name is read through the data map.
create table habeas.workspaces (
  id               uuid primary key,
  host_key         text not null,
  hostnames        text[] not null default '{}',
  region           text not null default 'us' check (region in ('us', 'eu', 'me-south', 'ap-northeast')),
  region_chosen_at timestamptz,   -- null: nobody chose, so the region says nothing about the law
  plane            text not null default 'main',
  first_seen_at    timestamptz not null default now()
);
alter table habeas.workspaces enable row level security;
alter table habeas.workspaces force row level security;

create policy own on habeas.workspaces to habeas_app
  using (id = (select habeas.workspace_id())) with check (id = (select habeas.workspace_id()));
grant select, insert, update on habeas.workspaces to habeas_app;

create policy sweep on habeas.workspaces for select to habeas_sweep using (true);
grant select (id, host_key, plane) on habeas.workspaces to habeas_sweep;

-- Who decides about a workspace's data (GDPR Art. 4(7)), and how its parts of requests run.
create table habeas.controllers (
  tenant_id          uuid primary key,
  name               text,
  contact            text,
  dpo                text,
  authority          text,
  establishment      text,        -- jurisdiction code: a country, or a country and a state (US-CA)
  approvals          text not null default 'auto' check (approvals in ('auto', 'approve')),
  admin_may_download boolean not null default false,
  updated_at         timestamptz not null default now()
);
alter table habeas.controllers enable row level security;
alter table habeas.controllers force row level security;
create policy own on habeas.controllers to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update on habeas.controllers to habeas_app;
