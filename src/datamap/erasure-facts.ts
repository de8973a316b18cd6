/** What of a table may refuse, or do more than, what erasure writes: beyond what every query needs to know. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type TableRef } from './names.js';

export interface ErasureFacts {
  /** CHECK constraints; the expression names the table's columns as they are. */
  checks: { name: string; expression: string; columns: string[] }[];
  /** Unique indexes, also over expressions; columns are all that the index reads. */
  uniques: { name: string; columns: string[]; partial: boolean; nullsEqual: boolean }[];
  /** Foreign keys of this table. */
  refersTo: { name: string; columns: string[]; target: TableRef; targetColumns: string[] }[];
  /** Foreign keys towards this table that do not follow when its columns change. */
  /** `follows`: what is written into the column is written into the child's rows as well (ON UPDATE CASCADE and the like). */
  heldBy: { name: string; columns: string[]; child: TableRef; follows: boolean }[];
  triggers: {
    name: string;
    function: string;
    onDelete: boolean;
    /** Columns whose update fires it; empty for any. Absent where updates do not. */
    onUpdateOf?: string[] | null;
    before: boolean;
  }[];
  /** Rewrite rules that replace a DELETE (d) or an UPDATE (u) of it. */
  rules: { name: string; on: 'd' | 'u' }[];
}

// to_jsonb, because Postgres 14 knows neither indnullsnotdistinct nor conenforced.
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
  coalesce((select json_agg(json_build_object('name', x.relname, 'partial', i.indpred is not null,
      'nullsEqual', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
      'columns', (select coalesce(json_agg(distinct a.attname), '[]') from pg_attribute a
                   where a.attrelid = r.oid and (a.attnum = any (i.indkey) or exists (
                     select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                        and d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid and d.refobjsubid = a.attnum))))
      order by x.relname)
    from pg_index i join pg_class x on x.oid = i.indexrelid
   where i.indrelid = r.oid and i.indisunique and i.indisvalid), '[]') as uniques,
  coalesce((select json_agg(json_build_object('name', c.conname,
      'columns', (select json_agg(a.attname order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
                    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum),
      'target', json_build_object('schema', n.nspname, 'name', t.relname),
      'targetColumns', (select json_agg(a.attname order by k.n) from unnest(c.confkey) with ordinality k (attnum, n)
                          join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum)) order by c.conname)
    from pg_constraint c join pg_class t on t.oid = c.confrelid join pg_namespace n on n.oid = t.relnamespace
   where c.conrelid = r.oid and c.contype = 'f' and c.conparentid = 0), '[]') as "refersTo",
  coalesce((select json_agg(json_build_object('name', c.conname,
      'columns', (select json_agg(a.attname) from pg_attribute a where a.attrelid = r.oid and a.attnum = any (c.confkey)),
      'follows', c.confupdtype not in ('a', 'r'),
      'child', json_build_object('schema', n.nspname, 'name', t.relname)) order by c.conname)
    from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
   where c.confrelid = r.oid and c.contype = 'f' and c.conparentid = 0), '[]') as "heldBy",
  coalesce((select json_agg(json_build_object('name', t.tgname, 'function', p.proname,
      'onDelete', t.tgtype & 8 <> 0, 'before', t.tgtype & 66 <> 0,
      'onUpdateOf', case when t.tgtype & 16 <> 0 then
         (select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = r.oid and a.attnum = any (t.tgattr)) end)
      order by t.tgname)
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
   where t.tgrelid = r.oid and not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgtype & 24 <> 0), '[]') as triggers,
  coalesce((select json_agg(json_build_object('name', w.rulename, 'on', case w.ev_type when '4' then 'd' else 'u' end))
    from pg_rewrite w where w.ev_class = r.oid and w.is_instead and w.ev_type in ('2', '4')), '[]') as rules
from r`;

/** Reads the catalogue only, which every role may. */
export async function erasureFacts(db: SqlRunner, { schema, name }: TableRef): Promise<ErasureFacts> {
  const [found] = await db.query<ErasureFacts>(facts, [schema, name]);
  return found ?? { checks: [], uniques: [], refersTo: [], heldBy: [], triggers: [], rules: [] };
}
