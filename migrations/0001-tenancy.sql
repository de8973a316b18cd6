-- Who is asking: transaction-local settings, read through STABLE functions so that a policy's
-- `(select habeas.workspace_id())` is worked out once per statement.

create function habeas.workspace_id() returns uuid
  language sql stable parallel safe
  -- After a transaction a custom setting reads '', not NULL. No tenant means NULL, and NULL equals no row.
  return nullif(current_setting('habeas.workspace', true), '')::uuid;

create function habeas.self_kind() returns text
  language sql stable parallel safe
  return nullif(current_setting('habeas.self_kind', true), '');

create function habeas.self_key() returns text
  language sql stable parallel safe
  return nullif(current_setting('habeas.self_key', true), '');

grant usage on schema habeas to habeas_app, habeas_self, habeas_desk, habeas_sweep;
