-- The purge of a workspace, while it runs and until its log has ended. What names anybody (owners' addresses, keys of
-- people) is here only while it is needed.
create table habeas.workspace_purges (
  tenant_id   uuid primary key,
  request_id  uuid not null,
  told_sealed bytea,                  -- whom the certificate goes to, and what the workspace was called; until it is written
  begun_at    timestamptz not null,
  checkpoint  jsonb,                  -- signed: the head of the log's tree when the workspace ended
  purged_at   timestamptz,
  log_ends_at timestamptz             -- then events and directory row go, too
);
create index workspace_purges_ending on habeas.workspace_purges (log_ends_at) where log_ends_at is not null;

-- Its members by their keys, noted while they can be found; each row goes when it is settled what becomes of them.
create table habeas.workspace_purge_people (
  tenant_id uuid not null references habeas.workspace_purges on delete cascade,
  kind      text not null,
  key       text not null,
  primary key (tenant_id, kind, key)
);

do $$
declare
  name text;
begin
  foreach name in array array['workspace_purges', 'workspace_purge_people'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;
create policy sweep on habeas.workspace_purges for select to habeas_sweep using (true);
grant select (tenant_id, request_id, begun_at, purged_at, log_ends_at) on habeas.workspace_purges to habeas_sweep;
-- Foreign keys are checked, and cascades run, as the owner, whom FORCE binds.
create policy owner_checks on habeas.workspace_purges for select to habeas_owner using (true);
create policy owner_cascades on habeas.workspace_purge_people to habeas_owner using (true);

-- Of a purged workspace the directory keeps id and date, so that a key that is seen again is not taken for a new one.
alter table habeas.workspaces
  add column purged_at timestamptz,
  alter column host_key drop not null,
  alter column region drop not null,
  alter column plane drop not null,
  alter column first_seen_at drop not null,
  add constraint workspaces_purged check (
    purged_at is null and num_nulls(host_key, region, plane, first_seen_at) = 0
    or purged_at is not null and num_nonnulls(host_key, region, region_chosen_at, plane, first_seen_at) = 0
       and hostnames = '{}');
grant select (purged_at) on habeas.workspaces to habeas_sweep;

-- What a workspace itself leaves in Habeas's tables goes with it.
grant delete on habeas.controllers, habeas.holds, habeas.request_parts to habeas_app;

-- A whole log forgets its people: every disclosure, then the mapping to pseudonyms. Works in the tenant that the
-- transaction is in, and only once something of that workspace is gone for good. Events and their hashes stay (invariant 2).
-- Answers how many rows went; to be called until it answers 0.
create function habeas.forget_log(most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
  as $$
declare
  tenant uuid := habeas.workspace_id();
  gone integer;
begin
  if tenant is null or most is null or most < 1 then
    raise exception 'forget_log needs a tenant and a number' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select from habeas.erasures e
                 where e.tenant_id = tenant and e.scope = 'workspace' and e.irreversible_at is not null) then
    raise exception 'only the log of a workspace that is being purged is forgotten' using errcode = 'object_not_in_prerequisite_state';
  end if;
  delete from habeas.event_disclosures d
  using (select event_id, path from habeas.event_disclosures where tenant_id = tenant limit most) as batch
  where d.tenant_id = tenant and d.event_id = batch.event_id and d.path = batch.path;
  get diagnostics gone = row_count;
  if gone = 0 then
    delete from habeas.pseudonyms p
    using (select pseudonym from habeas.pseudonyms where tenant_id = tenant limit most) as batch
    where p.tenant_id = tenant and p.pseudonym = batch.pseudonym;
    get diagnostics gone = row_count;
  end if;
  return gone;
end $$;
revoke execute on function habeas.forget_log(integer) from public;
grant execute on function habeas.forget_log(integer) to habeas_app;

-- The end of a purged workspace's log: its events, and last the directory's row and the purge's. Only once the moment
-- has come that was written down when the workspace was purged. Answers how many rows went, 0 when nothing is left.
create function habeas.end_log(at timestamptz, most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
  as $$
declare
  tenant uuid := habeas.workspace_id();
  gone integer;
begin
  if tenant is null or at is null or most is null or most < 1 then
    raise exception 'end_log needs a tenant, a moment and a number' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select from habeas.workspace_purges p
                 where p.tenant_id = tenant and p.purged_at is not null and p.log_ends_at <= at
                   and p.log_ends_at >= p.purged_at + interval '30 days') then
    return 0;
  end if;
  gone := habeas.forget_log(most);
  if gone > 0 then
    return gone;
  end if;
  delete from habeas.events e
  using (select id from habeas.events where tenant_id = tenant limit most) as batch
  where e.tenant_id = tenant and e.id = batch.id;
  get diagnostics gone = row_count;
  if gone = 0 then
    delete from habeas.workspaces where id = tenant and purged_at is not null;
    delete from habeas.workspace_purges where tenant_id = tenant;
    get diagnostics gone = row_count;
  end if;
  return gone;
end $$;
-- Of a living workspace not even the function's owner could delete an event in this way.
create policy owner_ends on habeas.events for delete to habeas_owner
  using (tenant_id = (select p.tenant_id from habeas.workspace_purges p
                      where p.tenant_id = (select habeas.workspace_id()) and p.purged_at is not null));
create policy owner_ends on habeas.workspaces for delete to habeas_owner
  using (id = (select habeas.workspace_id()) and purged_at is not null);
create policy owner_finds_purged on habeas.workspaces for select to habeas_owner
  using (id = (select habeas.workspace_id()) and purged_at is not null);
create policy owner_ends on habeas.workspace_purges for delete to habeas_owner
  using (tenant_id = (select habeas.workspace_id()));
revoke execute on function habeas.end_log(timestamptz, integer) from public;
grant execute on function habeas.end_log(timestamptz, integer) to habeas_app;
