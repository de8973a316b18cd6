import type pg from 'pg';

interface Lack {
  /** Each the statement that cures it; null where nothing is lacking. */
  creates: string | null;
  createrole: string | null;
  admin: string | null;
}

/**
 * What the migrating role may not do and has to, as the statements that let it. Asked of the server rather than read
 * out of its error: that is about the first thing only, and in the server's language.
 */
const lacking = `
  with needed(name) as (select unnest($1::text[])),
  ours as (select * from pg_roles where rolname = current_user),
  barred as (
    select r.rolname from needed join pg_roles r on r.rolname = needed.name, ours
    where not ours.rolsuper and not pg_has_role(current_user, r.oid, 'member with admin option')
      -- Until Postgres 15 CREATEROLE was enough for every role.
      and not (ours.rolcreaterole and current_setting('server_version_num')::int < 160000))
  select
    case when not has_database_privilege(current_database(), 'create') then
      format('grant create on database %I to %I', current_database(), current_user) end as creates,
    case when not ours.rolsuper and not ours.rolcreaterole
         and exists (select from needed where name not in (select rolname from pg_roles)) then
      format('alter role %I createrole', current_user) end as createrole,
    (select format('grant %s to %I with admin option', string_agg(quote_ident(rolname), ', ' order by rolname), current_user)
       from barred having count(*) > 0) as admin
  from ours`;

/**
 * A refusal of the database with what cures it; any other error as it came.
 * @param roles the roles that a migration makes and gives on
 */
export async function withCure(
  error: unknown,
  client: pg.Client,
  roles: readonly string[],
): Promise<unknown> {
  if ((error as { code?: unknown }).code !== '42501' || !(error instanceof Error)) return error;
  // Whatever hinders the question, the refusal itself is the news.
  const asked = await client.query<Lack>(lacking, [roles]).catch(() => undefined);
  const statements = Object.values(asked?.rows[0] ?? {}).filter((sql) => sql !== null);
  if (statements.length === 0) return error;
  const cure = statements.map((sql) => `\n  ${sql};`).join('');
  return new Error(`${error.message}. A superuser lets the migrating role do it with:${cure}`, {
    cause: error,
  });
}
