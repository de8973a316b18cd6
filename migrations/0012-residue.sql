-- The search for what is left of an erased person reads Habeas's own tables, too, and across tenants. Its role reads
-- and nothing else, no bytes (sealed fields, hashes of tokens), and sees rows by a policy, not by BYPASSRLS.
-- Run after every migration: a table that it may not read fails every erasure.
create function habeas.open_to_residue_search() returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $$
declare
  own record;
begin
  for own in
    select c.oid, c.relname as name, c.relrowsecurity as guarded,
           (select string_agg(format('%I', a.attname), ', ' order by a.attnum)
              from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               and a.atttypid not in ('bytea'::regtype, 'bytea[]'::regtype)
               and not has_column_privilege('habeas_residue', c.oid, a.attnum, 'select')) as lacking
      from pg_class c
     where c.relnamespace = 'habeas'::regnamespace and c.relkind in ('r', 'p', 'm')
  loop
    if own.guarded and not exists (select from pg_policy where polrelid = own.oid and polname = 'residue') then
      execute format('create policy residue on habeas.%I for select to habeas_residue using (true)', own.name);
    end if;
    if own.lacking is not null then
      execute format('grant select (ctid, %s) on habeas.%I to habeas_residue', own.lacking, own.name);
    end if;
  end loop;
end $$;
revoke execute on function habeas.open_to_residue_search() from public;
grant usage on schema habeas to habeas_residue;
