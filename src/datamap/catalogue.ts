/** The live catalogue: what the host's schemas hold, as far as the data map needs to know. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { qualified, quoted, type TableRef } from './names.js';

export interface CatalogueColumn {
  name: string;
  /** As format_type writes it, with length: `character varying(80)`. */
  type: string;
  /** Schema-qualified name of the type under any domain, without length: `pg_catalog.uuid`, `public.citext`. */
  base: string;
  /** For arrays the `base` of an element. */
  element?: string;
  /** pg_type.typtype of the base: b(ase), c(omposite), e(num), r(ange), m(ultirange). */
  family: string;
  /** json, or something that has json inside (an array or composite of it). */
  holdsJson: boolean;
  /** Longest text the type takes, in characters. */
  length?: number;
  notNull: boolean;
  /** Cannot be written: generated always, or computed by a view. */
  generated: boolean;
  /** Something else than null stands in a new row that says nothing about it. */
  hasDefault: boolean;
}

export interface ForeignKey {
  name: string;
  columns: string[];
  target: TableRef;
  targetColumns: string[];
  /** pg_constraint.confdeltype */
  onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
  /** Columns that ON DELETE SET NULL or SET DEFAULT writes: all of the key unless it names some (`on delete set null (x)`). */
  letsGo: string[];
  deferrable: boolean;
  /** Made by Postgres for a partition, after the key of its parent or towards a partition of the target. */
  repeats?: boolean;
}

export interface CatalogueTable extends TableRef {
  kind: 'table' | 'partitioned' | 'view' | 'materialized' | 'foreign';
  /** The root of its partition or inheritance tree, when it is not the root itself. */
  root?: TableRef;
  /** What it is a partition of, or inherits from, one step up. */
  parents: TableRef[];
  columns: CatalogueColumn[];
  primaryKey: string[];
  /** Columns of each unique index without expressions or a predicate, the primary key's too. */
  uniques: string[][];
  /** Columns of each index that finds every row by them, in its order; what follows an expression is left out. */
  indexes: string[][];
  foreignKeys: ForeignKey[];
  /** Row-level security is enabled. */
  rowSecurity: boolean;
  /** What the table, or the trigger behind the view, lets itself be done. */
  updatable: boolean;
  deletable: boolean;
  /** What habeas_host may do; `keys`: read some column at least. */
  granted: { select: boolean; keys: boolean; update: string[] | 'all'; delete: boolean };
  /** pg_class.reltuples; -1 where never analysed. */
  rows: number;
  /** Tables and views a view reads. */
  reads: TableRef[];
  /** A view that reads with its user's rights, not its owner's. */
  securityInvoker: boolean;
}

export interface HostRole {
  exists: boolean;
  bypassesRowSecurity: boolean;
  /** The current login may SET ROLE to it. */
  reachable: boolean;
  /** Schemas it may look into. */
  usage: string[];
}

export interface Catalogue {
  tables: Map<string, CatalogueTable>;
  host: HostRole;
  /** The collation that folds case as normalise.ts promises, quoted. */
  fold: string;
  utf8: boolean;
}

/** Schemas that are nobody's data, or Habeas's own. */
const ownSchemas = ['habeas', 'habeas_jobs', 'habeas_migrations'];

// One query: column, key and index lists are aggregated per table, so that a schema of thousands of tables
// still is one round trip. Members of extensions (a queue's or PostGIS's own tables) are left out.
const TABLES = `
with relation as (
  select c.oid, c.relname, n.nspname, c.relkind, c.relrowsecurity, c.reltuples, c.reloptions
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f')
     and n.nspname not in ('pg_catalog', 'information_schema')
     and n.nspname !~ '^pg_(toast|temp)'
     and n.nspname <> all ($1::text[])
     and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
), host as (
  select to_regrole('habeas_host')::oid as oid
)
select r.nspname as schema, r.relname as name, r.relkind as kind, r.relrowsecurity as "rowSecurity",
       coalesce((select o.option_value::boolean from pg_options_to_table(r.reloptions) o
                  where o.option_name = 'security_invoker'), false) as "securityInvoker",
       r.reltuples::float8 as rows,
       pg_relation_is_updatable(r.oid, true) & 4 <> 0 as updatable,
       pg_relation_is_updatable(r.oid, true) & 16 <> 0 as deletable,
       coalesce(has_table_privilege(host.oid, r.oid, 'select'), false) as "maySelect",
       coalesce(has_any_column_privilege(host.oid, r.oid, 'select'), false) as "maySelectSome",
       coalesce(has_table_privilege(host.oid, r.oid, 'update'), false) as "mayUpdate",
       coalesce(has_table_privilege(host.oid, r.oid, 'delete'), false) as "mayDelete",
       (with recursive up as (
          select i.inhparent, 1 as depth from pg_inherits i where i.inhrelid = r.oid and i.inhseqno = 1
          union all
          select i.inhparent, depth + 1 from up join pg_inherits i on i.inhrelid = up.inhparent and i.inhseqno = 1
        )
        select json_build_object('schema', n.nspname, 'name', p.relname)
          from up join pg_class p on p.oid = up.inhparent join pg_namespace n on n.oid = p.relnamespace
         order by depth desc limit 1) as root,
       (select json_agg(json_build_object('schema', n.nspname, 'name', p.relname) order by i.inhseqno)
          from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace n on n.oid = p.relnamespace
         where i.inhrelid = r.oid) as parents,
       (select json_agg(json_build_object(
                 'name', a.attname,
                 'type', format_type(a.atttypid, a.atttypmod),
                 'base', bn.nspname || '.' || b.typname,
                 'element', case when b.typelem <> 0 and b.typcategory = 'A' then en.nspname || '.' || e.typname end,
                 'family', b.typtype,
                 'elementFamily', e.typtype,
                 'length', case when b.typname in ('varchar', 'bpchar') and greatest(a.atttypmod, t.typtypmod) > 4
                                then greatest(a.atttypmod, t.typtypmod) - 4 end,
                 'notNull', a.attnotnull or t.typnotnull,
                 'generated', a.attgenerated <> '' or a.attidentity = 'a'
                   or r.relkind in ('v', 'm', 'f') and not pg_column_is_updatable(r.oid, a.attnum, true),
                 'hasDefault', a.atthasdef or t.typdefault is not null,
                 'mayUpdate', coalesce(has_column_privilege(host.oid, r.oid, a.attnum, 'update'), false))
               order by a.attnum)
          from pg_attribute a
          join pg_type t on t.oid = a.atttypid
          -- A domain over a domain is followed to its end.
          cross join lateral (
            with recursive down as (
              select t.oid, t.typtype, t.typbasetype
              union all
              select n.oid, n.typtype, n.typbasetype from down join pg_type n on n.oid = down.typbasetype
               where down.typtype = 'd'
            ) select oid from down where typtype <> 'd') base
          join pg_type b on b.oid = base.oid
          join pg_namespace bn on bn.oid = b.typnamespace
          left join pg_type e on e.oid = b.typelem
          left join pg_namespace en on en.oid = e.typnamespace
         where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select json_agg(json_build_object(
                 'primary', i.indisprimary,
                 'unique', i.indisunique and i.indexprs is null and i.indpred is null,
                 -- A look-up by a value never wants the rows that IS NOT NULL leaves out.
                 'whole', am.amname in ('btree', 'hash')
                   and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\((\\w+|"[^"]+") IS NOT NULL\\)$'),
                 'columns', (select json_agg(a.attname order by k.n)
                               from unnest(i.indkey) with ordinality k (attnum, n)
                               join pg_attribute a on a.attrelid = r.oid and a.attnum = k.attnum
                              where k.n <= i.indnkeyatts
                                and k.n < coalesce(array_position(i.indkey::int2[], 0::int2) + 1, 1000))))
          from pg_index i
          join pg_class x on x.oid = i.indexrelid
          join pg_am am on am.oid = x.relam
         where i.indrelid = r.oid and i.indisvalid) as indexes,
       (select json_agg(json_build_object(
                 'name', k.conname,
                 'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u (num, n)
                               join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num),
                 'target', json_build_object('schema', fn.nspname, 'name', f.relname),
                 'targetColumns', (select json_agg(a.attname order by u.n)
                                     from unnest(k.confkey) with ordinality u (num, n)
                                     join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num),
                 'onDelete', case k.confdeltype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
                                                when 'n' then 'set null' else 'set default' end,
                 'letsGo', (select json_agg(a.attname) from pg_attribute a
                             where a.attrelid = k.conrelid and a.attnum = any (coalesce(k.confdelsetcols, k.conkey))),
                 'deferrable', k.condeferrable,
                 'repeats', k.conparentid <> 0) order by k.conname)
          from pg_constraint k
          join pg_class f on f.oid = k.confrelid
          join pg_namespace fn on fn.oid = f.relnamespace
         where k.conrelid = r.oid and k.contype = 'f') as "foreignKeys",
       (select json_agg(distinct jsonb_build_object('schema', vn.nspname, 'name', v.relname))
          from pg_rewrite w
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                          and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.oid
          join pg_class v on v.oid = d.refobjid
          join pg_namespace vn on vn.oid = v.relnamespace
         where w.ev_class = r.oid and r.relkind in ('v', 'm')) as reads
  from relation r, host
 order by 1, 2`;

const SERVER = `
select to_regrole('habeas_host') is not null as exists,
       coalesce((select rolbypassrls or rolsuper from pg_roles where rolname = 'habeas_host'), false) as bypasses,
       coalesce(pg_has_role(to_regrole('habeas_host')::oid, 'member'), false) as reachable,
       (select coalesce(json_agg(nspname), '[]') from pg_namespace
         where has_schema_privilege(to_regrole('habeas_host')::oid, oid, 'usage')) as usage,
       -- Where ICU is missing, Postgres's own full mapping (18), else simple mapping (17), else what there is.
       (select collname from pg_collation
         where collnamespace = 'pg_catalog'::regnamespace
           and collname in ('und-x-icu', 'pg_unicode_fast', 'pg_c_utf8', 'default')
         order by array_position(array['und-x-icu', 'pg_unicode_fast', 'pg_c_utf8', 'default'], collname::text)
         limit 1) as fold,
       getdatabaseencoding() = 'UTF8' as utf8`;

type TableRow = Pick<
  CatalogueTable,
  'schema' | 'name' | 'rowSecurity' | 'updatable' | 'deletable' | 'rows' | 'securityInvoker'
> & {
  kind: 'r' | 'p' | 'v' | 'm' | 'f';
  root: TableRef | null;
  parents: TableRef[] | null;
  foreignKeys: ForeignKey[] | null;
  reads: TableRef[] | null;
  columns: ColumnRow[] | null;
  indexes: { primary: boolean; unique: boolean; whole: boolean; columns: string[] | null }[] | null;
  maySelect: boolean;
  maySelectSome: boolean;
  mayUpdate: boolean;
  mayDelete: boolean;
};

type ColumnRow = Omit<CatalogueColumn, 'element' | 'length' | 'holdsJson'> & {
  element: string | null;
  elementFamily: string | null;
  length: number | null;
  mayUpdate: boolean;
};

interface ServerRow {
  exists: boolean;
  bypasses: boolean;
  reachable: boolean;
  usage: string[];
  fold: string;
  utf8: boolean;
}

const kinds = { r: 'table', p: 'partitioned', v: 'view', m: 'materialized', f: 'foreign' } as const;

/** Reads the catalogue of the connected database in two queries; any role can. */
export async function readCatalogue(db: SqlRunner): Promise<Catalogue> {
  const rows = await db.query<TableRow>(TABLES, [ownSchemas]);
  const [server] = await db.query<ServerRow>(SERVER);
  if (!server) throw new Error('the server did not describe itself');
  return {
    tables: new Map(rows.map((row) => [qualified(row), tableOf(row)])),
    host: {
      exists: server.exists,
      bypassesRowSecurity: server.bypasses,
      reachable: server.reachable,
      usage: server.usage,
    },
    fold: `pg_catalog.${quoted(server.fold)}`,
    utf8: server.utf8,
  };
}

function tableOf(row: TableRow): CatalogueTable {
  const indexes = row.indexes ?? [];
  const columns = row.columns ?? [];
  return {
    schema: row.schema,
    name: row.name,
    kind: kinds[row.kind],
    ...(row.root && { root: row.root }),
    parents: row.parents ?? [],
    columns: columns.map(({ mayUpdate: _, elementFamily, element, length, ...column }) => ({
      ...column,
      ...(element !== null && { element }),
      ...(length !== null && { length }),
      holdsJson:
        column.base === 'pg_catalog.json' ||
        column.family === 'c' ||
        (element !== null &&
          (element === 'pg_catalog.json' || elementFamily === 'c' || elementFamily === 'd')),
    })),
    primaryKey: indexes.find((index) => index.primary)?.columns ?? [],
    uniques: indexes.flatMap(({ unique, columns: keys }) => (unique && keys ? [keys] : [])),
    indexes: indexes.flatMap(({ whole, columns: keys }) => (whole && keys ? [keys] : [])),
    foreignKeys: row.foreignKeys ?? [],
    rowSecurity: row.rowSecurity,
    updatable: row.updatable,
    deletable: row.deletable,
    granted: {
      select: row.maySelect,
      keys: row.maySelectSome,
      update: row.mayUpdate ? 'all' : columns.filter((c) => c.mayUpdate).map((c) => c.name),
      delete: row.mayDelete,
    },
    rows: row.rows,
    reads: row.reads ?? [],
    securityInvoker: row.securityInvoker,
  };
}

/** The table by its name, if it exists. */
export const tableIn = (catalogue: Catalogue, ref: TableRef): CatalogueTable | undefined =>
  catalogue.tables.get(qualified(ref));

/** The column by its name, if table and column exist. */
export const columnIn = (catalogue: Catalogue, ref: TableRef, name: string): CatalogueColumn | undefined =>
  tableIn(catalogue, ref)?.columns.find((column) => column.name === name);
