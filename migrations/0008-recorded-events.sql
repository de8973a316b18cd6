-- The host app writes into the log from inside its own transaction, so that its change and the event of it are
-- one: select habeas.record_event('<workspace uuid>', '{"action": "plan.changed", ...}').
--
-- What is personal becomes a disclosure exactly as over HTTP (src/audit/pushed-event.ts says the rules, and the
-- tests hold both against each other). Granted to nobody: docs/events.md prints the grant.

-- Text that may stay in an event for ever: codes, uuids and moments. Everything else may be about a person.
create function habeas.is_code(value text) returns boolean
  language sql immutable parallel safe
  return value ~ '^[a-z][a-z0-9]*([_.:/-][a-z0-9]+)*$' and length(value) <= 64
      or value ~ '^[A-Z][A-Z0-9_-]{0,15}$'
      or value ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      or value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?Z)?$';

-- uuid version 7 of a moment: its milliseconds, then chance.
create function habeas.event_id(moment timestamptz) returns uuid
  language sql volatile parallel safe
  return encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
              placing substring(int8send(floor(extract(epoch from moment) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid;

-- Every text of a JSON value with the way to it, e.g. {metadata,from,0}.
create function habeas.texts_of(root text, value jsonb) returns table (way text[], content text)
  language sql immutable parallel safe
  begin atomic
    with recursive leaf (way, value) as (
      select array[root], value
      union all
      select leaf.way || child.key, child.value
      from leaf cross join lateral (
        select key, value from jsonb_each(case jsonb_typeof(leaf.value) when 'object' then leaf.value else '{}' end)
        union all
        select (nth - 1)::text, element
        from jsonb_array_elements(case jsonb_typeof(leaf.value) when 'array' then leaf.value else '[]' end)
             with ordinality as elements (element, nth)
      ) as child (key, value)
    )
    select leaf.way, leaf.value #>> '{}' from leaf where jsonb_typeof(leaf.value) = 'string';
  end;

-- The pseudonym of a person in the tenant that is being written to, drawn at first sight.
create function habeas.pseudonym_of(kind text, key text) returns uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $$
declare
  tenant uuid := habeas.workspace_id();
  theirs uuid;
begin
  if kind is null or kind !~ '^[A-Za-z][A-Za-z0-9_-]{0,62}$' then
    raise exception 'a person needs a kind of the data map' using errcode = 'invalid_parameter_value';
  end if;
  if key is null or length(key) not between 1 and 400 then
    raise exception 'a person needs an id' using errcode = 'invalid_parameter_value';
  end if;
  insert into habeas.pseudonyms (tenant_id, subject_kind, subject_key) values (tenant, kind, key)
  on conflict do nothing returning pseudonym into theirs;
  if theirs is null then
    select pseudonym into strict theirs from habeas.pseudonyms
    where tenant_id = tenant and subject_kind = kind and subject_key = key;
  end if;
  return theirs;
end $$;

create function habeas.record_event(workspace uuid, event jsonb) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set row_security = on
  as $$
declare
  -- The caller's own setting, given back at the end; an error rolls it back by itself.
  before text := coalesce(current_setting('habeas.workspace', true), '');
  actor jsonb := event -> 'actor';
  moment timestamptz := coalesce((event ->> 'occurredAt')::timestamptz, clock_timestamp());
  recorded uuid := habeas.event_id(moment);
  actor_id text := actor ->> 'id';
  actor_person uuid;
  people uuid[] := '{}';
  targets jsonb := '[]';
  context jsonb := coalesce(event -> 'context', '{}');
  metadata jsonb := coalesce(event -> 'metadata', '{}');
  commitments jsonb := '{}';
  -- What is disclosed, in step with each other.
  ways text[] := '{}'; contents text[] := '{}'; owners uuid[] := '{}'; salts bytea[] := '{}';
  entry jsonb; person uuid; salt bytea; leaf record; nth integer;
begin
  if workspace is null or jsonb_typeof(event) is distinct from 'object' or jsonb_typeof(actor) is distinct from 'object'
     or jsonb_typeof(context) <> 'object' or jsonb_typeof(metadata) <> 'object'
     or jsonb_typeof(coalesce(event -> 'targets', '[]')) <> 'array'
     or jsonb_typeof(coalesce(event -> 'subjects', '[]')) <> 'array'
     or event - array['occurredAt', 'action', 'outcome', 'actor', 'targets', 'subjects', 'context', 'metadata'] <> '{}'
     or context ? 'via' then
    raise exception 'this is not an event: see docs/events.md' using errcode = 'invalid_parameter_value';
  end if;
  if moment > clock_timestamp() + interval '5 minutes' or moment < '1970-01-01T00:00:00Z' then
    raise exception 'occurredAt must lie between 1970 and now' using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from jsonb_path_query(jsonb_build_array(context, metadata),
                                          'strict $.** ? (@.type() == "object").keyvalue().key') as name
             where name #>> '{}' !~ '^[A-Za-z][A-Za-z0-9_-]{0,63}$') then
    raise exception 'a key of context or metadata is not a name' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('habeas.workspace', workspace::text, true);

  if actor ->> 'type' = 'person' then
    actor_person := habeas.pseudonym_of(actor ->> 'kind', actor_id);
    actor_id := actor_person::text;
    people := people || actor_person;
  elsif coalesce(actor ->> 'type', '') !~ '^[a-z][a-z0-9_]{0,40}$' or actor ->> 'type' = 'staff'
     or coalesce(actor_id, '') !~ '^[A-Za-z0-9_.:+=/-]{1,200}$' then
    raise exception 'the actor is not one' using errcode = 'invalid_parameter_value';
  end if;
  if actor ->> 'name' is not null then
    ways := ways || 'actor.name'::text; contents := contents || (actor ->> 'name'); owners := owners || actor_person;
  end if;

  nth := 0;
  for entry in select value from jsonb_array_elements(coalesce(event -> 'targets', '[]')) loop
    person := null;
    if entry ->> 'type' = 'person' then
      person := habeas.pseudonym_of(entry ->> 'kind', entry ->> 'id');
      people := people || person;
    elsif coalesce(entry ->> 'type', '') !~ '^[a-z][a-z0-9_]{0,40}$'
       or coalesce(entry ->> 'id', '') !~ '^[A-Za-z0-9_.:+=/-]{1,200}$' then
      raise exception 'a target is not one' using errcode = 'invalid_parameter_value';
    end if;
    targets := targets || jsonb_build_object('type', entry ->> 'type', 'id', coalesce(person::text, entry ->> 'id'));
    if entry ->> 'name' is not null then
      ways := ways || format('targets.%s.name', nth); contents := contents || (entry ->> 'name');
      owners := owners || person;
    end if;
    nth := nth + 1;
  end loop;

  for entry in select value from jsonb_array_elements(coalesce(event -> 'subjects', '[]')) loop
    person := habeas.pseudonym_of(entry ->> 'kind', entry ->> 'id');
    people := people || person;
    if entry ->> 'name' is not null then
      ways := ways || format('subjects.%s.name', person); contents := contents || (entry ->> 'name');
      owners := owners || person;
    end if;
  end loop;

  for leaf in
    select way, content from habeas.texts_of('context', context)
    where not habeas.is_code(content) or way[2] in ('ip', 'userAgent')
    union all
    select way, content from habeas.texts_of('metadata', metadata) where not habeas.is_code(content)
  loop
    if leaf.way[1] = 'context' then context := jsonb_set(context, leaf.way[2:], 'null');
    else metadata := jsonb_set(metadata, leaf.way[2:], 'null');
    end if;
    ways := ways || array_to_string(leaf.way, '.'); contents := contents || leaf.content; owners := owners || actor_person;
  end loop;

  for nth in 1 .. cardinality(ways) loop
    salt := substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) from 1 for 16);
    salts := salts || salt;
    commitments := commitments || jsonb_build_object(ways[nth], encode(sha256(salt || convert_to(
      '[' || to_json(ways[nth])::text || ',' || to_json(contents[nth])::text || ']', 'UTF8')), 'hex'));
  end loop;

  insert into habeas.events (tenant_id, id, occurred_at, action, outcome, actor_type, actor_id, targets, subjects,
                             context, metadata, commitments)
  values (workspace, recorded, moment, event ->> 'action', coalesce(event ->> 'outcome', 'success'), actor ->> 'type', actor_id,
          targets, array(select distinct unnest(people)), context || '{"via": "sql"}', metadata, commitments);
  insert into habeas.event_disclosures (tenant_id, event_id, subject, path, salt, value)
  select workspace, recorded, owner, way, its_salt, to_jsonb(content)
  from unnest(ways, contents, owners, salts) as disclosed (way, content, owner, its_salt);
  perform set_config('habeas.workspace', before, true);
  return recorded;
end $$;

-- The function's owner is bound by FORCE: without policies of its own it would see and write nothing.
create policy owner_records on habeas.pseudonyms for insert to habeas_owner
  with check (tenant_id = (select habeas.workspace_id()));
create policy owner_finds on habeas.pseudonyms for select to habeas_owner
  using (tenant_id = (select habeas.workspace_id()));
create policy owner_records on habeas.events for insert to habeas_owner
  with check (tenant_id = (select habeas.workspace_id()));
create policy owner_records on habeas.event_disclosures for insert to habeas_owner
  with check (tenant_id = (select habeas.workspace_id()));

-- A new function is everybody's until it is taken away.
revoke execute on function habeas.record_event(uuid, jsonb), habeas.pseudonym_of(text, text),
  habeas.is_code(text), habeas.event_id(timestamptz), habeas.texts_of(text, jsonb) from public;
