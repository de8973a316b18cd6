-- How long a workspace keeps what it decides about. No row: the data map's defaults, and nothing else.
create table habeas.retentions (
  tenant_id   uuid primary key,
  -- What POST …/deletion {reason: subscription_ended} may do; without a row: keep.
  subscription_ended text not null default 'keep' check (subscription_ended in ('delete', 'keep')),
  next_run_at timestamptz,            -- null: not looked at yet
  last_run_at timestamptz,
  -- {collection.rows: n, collection.files: n} of the run that is on, told as one event at its end. Written with every
  -- batch, so that a run that was killed loses none of it.
  progress    jsonb not null default '{}'
);

-- One for each collection that was set, and one for the audit log. A change that shortens waits beside what is in force
-- until its time; from then on it is in force, whether or not anybody has tidied up (due is a query).
create table habeas.retention_rules (
  tenant_id    uuid not null,
  target       text not null,         -- a collection, or auditLog
  is_set       boolean not null,      -- false: the map's default is still in force, only `pending` was set
  keep         text,                  -- ISO 8601 duration; null: until deleted
  pending      text,                  -- always a duration: what shortens has an end
  effective_at timestamptz,
  primary key (tenant_id, target),
  check ((pending is null) = (effective_at is null)),
  check (is_set or (keep is null and pending is not null))
);

-- Rows that could not go: each fails alone, and is tried again. The digest finds the row again and tells nobody its key.
create table habeas.retention_failures (
  tenant_id   uuid not null,
  collection  text not null,
  row_digest  bytea not null,
  code        text not null,
  reason      text not null,          -- in words, with the names of table and constraint
  attempts    integer not null default 1,
  first_at    timestamptz not null,
  next_attempt_at timestamptz not null,
  primary key (tenant_id, collection, row_digest)
);

do $$
declare
  name text;
begin
  foreach name in array array['retentions', 'retention_rules', 'retention_failures'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
    execute format('create policy sweep on habeas.%I for select to habeas_sweep using (true)', name);
  end loop;
end $$;
grant select (tenant_id, next_run_at, last_run_at) on habeas.retentions to habeas_sweep;
grant select (tenant_id, target) on habeas.retention_rules to habeas_sweep;
grant select (tenant_id, collection, first_at, next_attempt_at) on habeas.retention_failures to habeas_sweep;
-- Whether a log has anything old in it is asked of its key.
create policy sweep on habeas.events for select to habeas_sweep using (true);
grant select (tenant_id, id) on habeas.events to habeas_sweep;
create index retentions_due on habeas.retentions (next_run_at, tenant_id);

-- The end of what is old in a living log: events before a moment, with their disclosures, oldest first. Works in the
-- tenant that the transaction is in and nowhere else, and never on the last 30 days, whatever it is asked: by the
-- server's own clock. `kept` are pseudonyms of people whose events stay (a hold, an open access request).
-- Answers how many events went and the newest of them; to be called until it answers fewer than `most`.
create function habeas.forget_events(before timestamptz, kept uuid[], most integer)
  returns table (gone integer, up_to uuid)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
  as $$
declare
  tenant uuid := habeas.workspace_id();
  ms text;
  first_kept uuid;
  old uuid[];
begin
  if tenant is null or before is null or kept is null or most is null or most not between 1 and 10000 then
    raise exception 'forget_events needs a tenant, a moment, a list and a number' using errcode = 'invalid_parameter_value';
  end if;
  before := least(before, now() - interval '30 days');
  -- Ids are in the order of time (uuid version 7), so the primary key leads to the oldest.
  ms := lpad(to_hex(greatest(floor(extract(epoch from before) * 1000), 0)::bigint), 12, '0');
  first_kept := (left(ms, 8) || '-' || right(ms, 4) || '-7000-8000-000000000000')::uuid;
  old := array(select e.id from habeas.events e
               where e.tenant_id = tenant and e.id < first_kept and e.occurred_at < before and not e.subjects && kept
               order by e.id limit most);
  delete from habeas.event_disclosures d where d.tenant_id = tenant and d.event_id = any (old);
  delete from habeas.events e where e.tenant_id = tenant and e.id = any (old);
  get diagnostics gone = row_count;
  up_to := old[cardinality(old)];
  return next;
end $$;
-- Not even the function's owner could delete what is younger, or another tenant's.
create policy owner_forgets on habeas.events for delete to habeas_owner
  using (tenant_id = (select habeas.workspace_id()) and occurred_at < now() - interval '30 days');
revoke execute on function habeas.forget_events(timestamptz, uuid[], integer) from public;
grant execute on function habeas.forget_events(timestamptz, uuid[], integer) to habeas_app;
