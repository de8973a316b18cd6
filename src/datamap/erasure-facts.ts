/** What of a table may refuse, or do more than, what erasure writes: beyond what every query needs to know. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type TableRef } from './names.js';

/** No two rows may be alike in all of these keys. */
export interface UniqueRule {
  name: string;
  kind: 'Unique index' | 'Exclusion constraint';
  /** `column` where the key is one; `operator` is what an exclusion constraint compares with. */
  keys: { sql: string; column?: string | null; operator: string; isEquality: boolean }[];
  /** Only rows of which this is true. */
  predicate: string | null;
  nullsEqual: boolean;
}

export interface ErasureFacts {
  /** CHECK constraints; the expression names the table's columns as they are. */
  checks: { name: string; expression: string; columns: string[] }[];
  /** Unique indexes and exclusion constraints, also over expressions and parts of the table. */
  uniques: UniqueRule[];
  /** Columns that Postgres computes from others, stored or not. */
  generated: { name: string; expression: string; notNull: boolean }[];
  /** Foreign keys of this table. */
  refersTo: { name: string; columns: string[]; target: TableRef; targetColumns: string[] }[];
  /** Foreign keys towards this table; each of `childColumns` refers to the one of `columns` at its place. */
  heldBy: {
    name: string;
    columns: string[];
    child: TableRef;
    childColumns: string[];
    onUpdate: 'no action' | 'cascade' | 'set null' | 'set default';
  }[];
  triggers: {
    name: string;
    function: string;
    /** The function's body and the trigger's arguments, in which a column that it writes is named. */
    source: string;
    onDelete: boolean;
    /** Columns whose update fires it; empty for any. Absent where updates do not. */
    onUpdateOf?: string[] | null;
    timing: 'BEFORE' | 'AFTER' | 'INSTEAD OF';
  }[];
}

// to_jsonb, because Postgres 17 does not know conenforced.
const facts = `
with r as (
  select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
)
select
  coalesce((select json_agg(json_build_object('name', c.conname, 'expression', pg_get_expr(c.conbin, c.conrelid),
      'columns', (select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = r.oid and a.attnum = any (c.conkey)))
      order by c.conname)
    from pg_constraint c
   where c.conrelid = r.oid and c.contype = 'c' and coalesce(to_jsonb(c) ->> 'conenforced', 'true') = 'true'), '[]') as checks,
  coalesce((select json_agg(json_build_object('name', x.relname,
      'kind', case when c.oid is null then 'Unique index' else 'Exclusion constraint' end,
      'predicate', pg_get_expr(i.indpred, i.indrelid),
      'nullsEqual', i.indnullsnotdistinct,
      'keys', (select json_agg(json_build_object(
                  'sql', pg_get_indexdef(i.indexrelid, n::int, false),
                  'column', (select a.attname from pg_attribute a where a.attrelid = r.oid and a.attnum = k.attnum and k.attnum <> 0),
                  'operator', case when o.oid is null then '=' else format('operator(%I.%s)', os.nspname, o.oprname) end,
                  'isEquality', o.oid is null or o.oprname = '=') order by n)
                 from unnest(i.indkey) with ordinality k (attnum, n)
                 left join pg_operator o on o.oid = c.conexclop[n::int]
                 left join pg_namespace os on os.oid = o.oprnamespace
                where n <= i.indnkeyatts))
      order by x.relname)
    from pg_index i join pg_class x on x.oid = i.indexrelid
    left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid and c.contype = 'x'
   where i.indrelid = r.oid and (i.indisunique or c.oid is not null) and i.indisvalid), '[]') as uniques,
  coalesce((select json_agg(json_build_object('name', a.attname, 'expression', pg_get_expr(d.adbin, d.adrelid), 'notNull', a.attnotnull)
      order by a.attnum)
    from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = r.oid and a.attgenerated <> ''), '[]') as generated,
  coalesce((select json_agg(json_build_object('name', c.conname,
      'columns', (select json_agg(a.attname order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
                    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum),
      'target', json_build_object('schema', n.nspname, 'name', t.relname),
      'targetColumns', (select json_agg(a.attname order by k.n) from unnest(c.confkey) with ordinality k (attnum, n)
                          join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum)) order by c.conname)
    from pg_constraint c join pg_class t on t.oid = c.confrelid join pg_namespace n on n.oid = t.relnamespace
   where c.conrelid = r.oid and c.contype = 'f' and c.conparentid = 0), '[]') as "refersTo",
  coalesce((select json_agg(json_build_object('name', c.conname,
      'columns', (select json_agg(a.attname order by k.n) from unnest(c.confkey) with ordinality k (attnum, n)
                    join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum),
      'childColumns', (select json_agg(a.attname order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
                         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum),
      'onUpdate', case c.confupdtype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' else 'no action' end,
      'child', json_build_object('schema', n.nspname, 'name', t.relname)) order by c.conname)
    from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
   where c.confrelid = r.oid and c.contype = 'f' and c.conparentid = 0), '[]') as "heldBy",
  coalesce((select json_agg(json_build_object('name', t.tgname, 'function', p.proname,
      'source', p.prosrc || ' ' || replace(encode(t.tgargs, 'escape'), '\\000', ' '),
      'onDelete', t.tgtype & 8 <> 0, 'timing', case when t.tgtype & 64 <> 0 then 'INSTEAD OF' when t.tgtype & 2 <> 0 then 'BEFORE' else 'AFTER' end,
      'onUpdateOf', case when t.tgtype & 16 <> 0 then
         (select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = r.oid and a.attnum = any (t.tgattr)) end)
      order by t.tgname)
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
   where t.tgrelid = r.oid and not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgtype & 24 <> 0), '[]') as triggers
from r`;

/** Reads the catalogue only, which every role may. */
export async function erasureFacts(db: SqlRunner, { schema, name }: TableRef): Promise<ErasureFacts> {
  const [found] = await db.query<ErasureFacts>(facts, [schema, name]);
  return found ?? { checks: [], uniques: [], generated: [], refersTo: [], heldBy: [], triggers: [] };
}
