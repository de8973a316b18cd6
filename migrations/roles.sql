-- Run before every migration, as the migrating user; harmless when nothing changed.
-- The roles are the whole of Habeas's trust: the service logs in as a role that owns and inherits nothing and
-- takes one of these for the length of a transaction (SET LOCAL ROLE). See docs/database.md.
do $$
declare
  narrow text;
begin
  foreach narrow in array array[
    'habeas_owner',   -- owns schema habeas; FORCE binds it too
    'habeas_app',     -- one tenant's rows
    'habeas_self',    -- one person's own rows, whatever the tenant
    'habeas_desk',    -- request metadata for staff, whatever the tenant
    'habeas_sweep',   -- ids and due times for sweeps, whatever the tenant
    'habeas_residue'  -- reads what could name an erased person, whatever the tenant
  ] loop
    if not exists (select from pg_roles where rolname = narrow) then
      begin
        execute format('create role %I nologin noinherit', narrow);
      exception when duplicate_object or unique_violation then null;  -- another database of this server was faster
      end;
    end if;
  end loop;

  -- Reads and erases host tables, whole or not at all: it must see past the host's own policies.
  if not exists (select from pg_roles where rolname = 'habeas_host') then
    begin
      execute 'create role habeas_host nologin noinherit bypassrls';
    exception
      when duplicate_object or unique_violation then null;
      -- Without the right to give BYPASSRLS the role is made bare; `datamap check` then names each hidden table.
      when insufficient_privilege then execute 'create role habeas_host nologin noinherit';
    end;
  end if;

  if not (select rolsuper from pg_roles where rolname = current_user)
     and not pg_has_role(current_user, 'habeas_owner', 'usage') then
    execute format('grant habeas_owner to %I', current_user);
  end if;
end $$;

create schema if not exists habeas_migrations;
create schema if not exists habeas authorization habeas_owner;
-- The queue (pg-boss) keeps ids only; its tables are its own.
create schema if not exists habeas_jobs authorization habeas_owner;
