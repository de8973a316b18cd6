-- What an erasure has planned and done, so that it can be killed anywhere and goes on where it was.
create table habeas.erasures (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  job_id      uuid not null,          -- whose work it is; deletion does not know what a request is
  scope       text not null check (scope in ('account', 'person', 'workspace')),
  map_hash    text not null,
  job_sealed  bytea,                  -- whom, where and under which pseudonyms; wiped when all is over
  created_at  timestamptz not null,
  irreversible_at timestamptz,        -- the first batch has committed
  erased_at   timestamptz,            -- the host's rows and files are done
  wiped_at    timestamptz,
  unique (tenant_id, job_id)
);

create table habeas.erasure_steps (
  tenant_id   uuid not null,
  erasure_id  uuid not null references habeas.erasures on delete cascade,
  ordinal     integer not null,
  collection  text not null,
  controller  text not null,
  workspace   text,                   -- the host's key; null: what belongs to the account
  rule        text not null,
  ground      text,
  until       text,
  rows        bigint not null,        -- as planned
  files       bigint not null,
  done        bigint not null default 0,
  files_removed bigint not null default 0,
  finished_at timestamptz,
  primary key (erasure_id, ordinal)
);

-- Keys of rows that cannot be found any more once the rows that lead to them are gone. Empty when a step ends.
create table habeas.erasure_rows (
  tenant_id   uuid not null,
  erasure_id  uuid not null,
  ordinal     integer not null,
  key         jsonb not null,
  primary key (erasure_id, ordinal, key),
  foreign key (erasure_id, ordinal) references habeas.erasure_steps on delete cascade
);

-- Files that rows named which are gone: written with the rows' own end, so that no file is ever left behind
-- without a trace. Each leaves when the store has confirmed that it has the file no more.
create table habeas.erasure_files (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  erasure_id  uuid not null,
  ordinal     integer not null,
  bucket      text not null,
  path        text not null,
  failure     text,                   -- a code
  unique (erasure_id, ordinal, bucket, path),
  foreign key (erasure_id, ordinal) references habeas.erasure_steps on delete cascade
);

-- Rows kept for their keys until every backup that could bring their references back has expired.
create table habeas.tombstones (
  id          uuid primary key default gen_random_uuid(),
  tenant_id   uuid not null,
  erasure_id  uuid not null references habeas.erasures on delete cascade,
  ordinal     integer not null,
  collection  text not null,
  key         jsonb not null,         -- texts of the key's columns
  due_at      timestamptz not null,
  attempts    integer not null default 0,
  next_attempt_at timestamptz not null,
  failure     text,                   -- a code
  swept_at    timestamptz,
  unique (erasure_id, collection, key)
);
create index tombstones_due on habeas.tombstones (next_attempt_at, id) where swept_at is null;

do $$
declare
  name text;
begin
  foreach name in array array['erasures', 'erasure_steps', 'erasure_rows', 'erasure_files', 'tombstones'] loop
    execute format('alter table habeas.%I enable row level security', name);
    execute format('alter table habeas.%I force row level security', name);
    execute format('create policy own on habeas.%I to habeas_app using (tenant_id = (select habeas.workspace_id())) '
                   'with check (tenant_id = (select habeas.workspace_id()))', name);
    execute format('grant select, insert, update, delete on habeas.%I to habeas_app', name);
  end loop;
end $$;
create policy sweep on habeas.tombstones for select to habeas_sweep using (true);
grant select (id, tenant_id, erasure_id, due_at, next_attempt_at, attempts, swept_at) on habeas.tombstones to habeas_sweep;
create policy sweep on habeas.erasures for select to habeas_sweep using (true);
grant select (id, tenant_id, job_id, scope, created_at, irreversible_at, erased_at, wiped_at) on habeas.erasures to habeas_sweep;
-- Foreign keys are checked, and cascades run, as the owner, whom FORCE binds.
create policy owner_checks on habeas.erasures for select to habeas_owner using (true);
create policy owner_cascades on habeas.erasure_steps to habeas_owner using (true);
create policy owner_cascades on habeas.erasure_rows to habeas_owner using (true);
create policy owner_cascades on habeas.erasure_files to habeas_owner using (true);
create policy owner_cascades on habeas.tombstones to habeas_owner using (true);

-- The one way in which disclosures and the mapping to pseudonyms ever leave: nobody holds DELETE on them. Works in
-- the tenant that the transaction is in and nowhere else; events and their hashes stay as they are (invariant 2).
-- Answers how many rows went; to be called until it answers 0. The mapping goes last: it finds the disclosures.
create function habeas.forget_people(people jsonb, most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
  as $$
declare
  tenant uuid := habeas.workspace_id();
  theirs uuid[];
  gone integer;
begin
  if tenant is null or jsonb_typeof(people) is distinct from 'array' or most is null or most < 1 then
    raise exception 'forget_people needs a tenant, people and a number' using errcode = 'invalid_parameter_value';
  end if;
  theirs := array(
    select p.pseudonym from habeas.pseudonyms p
    join jsonb_array_elements(people) as person on p.subject_kind = person ->> 0 and p.subject_key = person ->> 1
    where p.tenant_id = tenant);
  delete from habeas.event_disclosures d
  using (select event_id, path from habeas.event_disclosures
         where tenant_id = tenant and subject = any (theirs) limit most) as batch
  where d.tenant_id = tenant and d.event_id = batch.event_id and d.path = batch.path;
  get diagnostics gone = row_count;
  if gone < most then
    delete from habeas.pseudonyms where tenant_id = tenant and pseudonym = any (theirs);
    gone := gone + cardinality(theirs);
  end if;
  return gone;
end $$;
create policy owner_forgets on habeas.pseudonyms for delete to habeas_owner
  using (tenant_id = (select habeas.workspace_id()));
create policy owner_forgets on habeas.event_disclosures for delete to habeas_owner
  using (tenant_id = (select habeas.workspace_id()));
create policy owner_finds on habeas.event_disclosures for select to habeas_owner
  using (tenant_id = (select habeas.workspace_id()));
revoke execute on function habeas.forget_people(jsonb, integer) from public;
grant execute on function habeas.forget_people(jsonb, integer) to habeas_app;
