-- Of a workspace's deletion, what no other request has: why it goes, and which owners' reminders went out. When it is
-- due is the request's own run_after.
create table habeas.workspace_deletions (
  request_id   uuid primary key references habeas.requests on delete cascade,
  tenant_id    uuid not null,
  reason       text not null check (reason in ('owner_request', 'subscription_ended', 'orphaned')),
  scheduled_at timestamptz not null,
  week_told_at timestamptz,   -- 7 days before
  day_told_at  timestamptz    -- 1 day before
);
create index workspace_deletions_untold on habeas.workspace_deletions (request_id) where day_told_at is null;
alter table habeas.workspace_deletions enable row level security;
alter table habeas.workspace_deletions force row level security;
create policy own on habeas.workspace_deletions to habeas_app
  using (tenant_id = (select habeas.workspace_id())) with check (tenant_id = (select habeas.workspace_id()));
grant select, insert, update on habeas.workspace_deletions to habeas_app;
create policy owner_cascades on habeas.workspace_deletions to habeas_owner using (true);
create policy sweep on habeas.workspace_deletions for select to habeas_sweep using (true);
grant select (request_id, tenant_id, scheduled_at, week_told_at, day_told_at) on habeas.workspace_deletions to habeas_sweep;

-- A page of purges costs the same whether a hundred workspaces are due or ten thousand.
create index requests_open_purges on habeas.requests (id)
  where kind = 'deletion' and scope = 'workspace' and closed_at is null;

-- The desk looks for workspaces that nobody owns any more, and whether one is on its way out.
create policy desk on habeas.workspaces for select to habeas_desk using (true);
grant select (id, host_key) on habeas.workspaces to habeas_desk;
grant select (run_after) on habeas.requests to habeas_desk;
