/**
 * From a path of the map to SQL that uses an index wherever there is one. Three shapes:
 *
 * - columns of the row itself: `t.x = any (array(select …))`. The array is an InitPlan, so the condition does not
 *   correlate, and several OR'd become one bitmap. For one person or workspace it is `t.x = (select …)`, since an
 *   index on (x, key) then answers in the order of the key: no sort, no temporary file, however many rows;
 * - one way through joins: a semi-join, whose order and kind the planner chooses by its statistics (an array
 *   would be compared element by element: fatal with a million messages and a few attachments);
 * - several ways of which some join: the rows' primary keys, gathered way by way (under OR a semi-join would
 *   read the whole table).
 */
import { type Catalogue, type CatalogueColumn, columnIn, tableIn } from './catalogue.js';
import { keySql } from './keys.js';
import { type Collection, type DataMap, normaliserOf, type Path } from './map.js';
import { literal, qualified, quoted, type TableRef } from './names.js';
import { normaliseSql } from './normalise.js';
import { type Normaliser } from './schema.js';
import { compositeKeysSql, identifiersSql, keysSql, workspacesSql } from './settings.js';
import { valueAs } from './types.js';

/** What the end of a path is compared with. */
interface Target {
  /** `select … as v`: the wanted values in normal form; for composite keys one part of them. */
  values: (part?: number) => string;
  /** All parts at once, as v0, v1, … */
  tuples?: () => string;
  normaliser: Normaliser;
  /** There is exactly one of them. */
  single: boolean;
}

/** The condition that row `t` of the collection reaches one of the people asked about; `kinds` has one entry for each. */
export function subjectCondition(
  map: DataMap,
  catalogue: Catalogue,
  collection: Collection,
  kinds: string[],
): string {
  const ways = [...new Set(kinds)].flatMap((kind) =>
    (collection.subject[kind] ?? []).map((path) => ({
      path,
      target: targetOf(map, kind, path, kinds.filter((other) => other === kind).length === 1),
    })),
  );
  return anyWay(catalogue, collection.table, ways);
}

/** The condition that row `t` reaches one person of this kind through this one path. */
export const subjectPathCondition = (
  map: DataMap,
  catalogue: Catalogue,
  table: TableRef,
  kind: string,
  path: Path,
): string => pathCondition(catalogue, table, { path, target: targetOf(map, kind, path) });

/** The condition that row `t` of the collection belongs to one of the workspaces asked about. */
export function workspaceCondition(catalogue: Catalogue, collection: Collection, single: boolean): string {
  const target: Target = { values: workspacesSql, normaliser: 'exact', single };
  const ways = collection.workspace.map((path) => ({ path, target }));
  return anyWay(catalogue, collection.table, ways);
}

interface Way {
  path: Path;
  target: Target;
}

function anyWay(catalogue: Catalogue, table: TableRef, ways: Way[]): string {
  const direct = ways.filter(({ path }) => path.join.length === 0);
  const joining = ways.filter(({ path }) => path.join.length > 0);
  const [first] = ways;
  if (!first) return 'false';
  if (ways.length === 1) return pathCondition(catalogue, table, first);
  const own = direct.map((way) => pathCondition(catalogue, table, way));
  if (joining.length === 0) return anyOf(own);
  const key = tableIn(catalogue, table)?.primaryKey ?? [];
  if (key.length === 0)
    return anyOf([...own, ...joining.map((way) => pathCondition(catalogue, table, way, 'array'))]);
  const keys = key.map((column) => `t.${quoted(column)}`).join(', ');
  const branches = [
    ...(own.length > 0 ? [anyOf(own)] : []),
    ...joining.map((way) => pathCondition(catalogue, table, way)),
  ];
  const gathered = branches.map((branch) => `select ${keys} from ${qualified(table)} as t where ${branch}`);
  return `(${keys}) in (${gathered.join(' union all ')})`;
}

/** `select … as v`: the workspaces, as host keys, that row `t` leads to; correlated with `t`. */
export const workspacesOfRow = (collection: Collection): string =>
  collection.workspace.map((path) => pathValues(path)).join(' union ');

/**
 * What an index on each table along a path would have to be on, as `create index on … ` takes it: first the
 * table it starts from, last the table in which the path ends. Undefined where no index can serve.
 */
export function indexesFor(
  map: DataMap,
  catalogue: Catalogue,
  from: TableRef,
  kind: string,
  path: Path,
): { table: TableRef; on: string | undefined }[] {
  const tables = [from, ...path.join.map((join) => join.table)];
  return tables.map((table, depth) => {
    const join = path.join[depth];
    if (join) return { table, on: `(${join.on.map(([from]) => quoted(from)).join(', ')})` };
    const { normaliser } = targetOf(map, kind, path);
    const columns = path.columns.map(quoted);
    if (path.array)
      return { table, on: normaliser === 'exact' ? `using gin (${columns.join(', ')})` : undefined };
    if (path.json?.includes('*')) return { table, on: undefined };
    const value = path.json ? jsonText(columns[0] ?? '', path.json) : `${columns[0] ?? ''}::text`;
    if (normaliser !== 'exact')
      return { table, on: `((${normaliseSql(normaliser, value, catalogue.fold)}))` };
    return { table, on: path.json ? `(${value})` : `(${columns.join(', ')})` };
  });
}

function targetOf(map: DataMap, kind: string, path: Path, single = false): Target {
  const normaliser = normaliserOf(map, kind, path.as);
  const { as } = path;
  if (as !== undefined && map.subjects[kind]?.table)
    return { normaliser, single, values: () => identifiersSql(kind, as) };
  const parts = path.columns.length;
  if (parts === 1) return { normaliser, single, values: () => keysSql(kind) };
  return {
    normaliser,
    single,
    values: (part) => keysSql(kind, part),
    tuples: () => compositeKeysSql(kind, parts),
  };
}

function pathCondition(
  catalogue: Catalogue,
  table: TableRef,
  { path, target }: Way,
  step: 'array' | 'semi-join' = 'semi-join',
): string {
  const reached = joined(catalogue, table, path, 0, target, step);
  return path.where === undefined ? reached : `(${reached} and (${path.where}))`;
}

/** The condition on row `t` of the table that the first `depth` joins have led to. */
function joined(
  catalogue: Catalogue,
  table: TableRef,
  path: Path,
  depth: number,
  target: Target,
  step: 'array' | 'semi-join',
): string {
  const join = path.join[depth];
  if (!join) return ends(catalogue, table, path, target);
  const inner = joined(catalogue, join.table, path, depth + 1, target, step);
  const filter = join.where === undefined ? inner : `${inner} and (${join.where})`;
  const select = (columns: string[], distinct = '') =>
    `select ${distinct}${columns.map((c) => `t.${quoted(c)}`).join(', ')} from ${qualified(join.table)} as t where ${filter}`;
  const here = join.on.map(([from]) => `t.${quoted(from)}`);
  const there = join.on.map(([, to]) => to);
  if (step === 'semi-join') return `(${here.join(', ')}) in (${select(there)})`;
  const each = here.map(
    (column, n) => `${column} = any (array(${select([there[n] as string], 'distinct ')}))`,
  );
  // Of several columns each alone finds the rows by index; together they must be one and the same joined row.
  return each.length === 1
    ? (each[0] as string)
    : `(${[...each, `(${here.join(', ')}) in (${select(there)})`].join(' and ')})`;
}

/** The condition on the row `t` in which the path ends. */
function ends(catalogue: Catalogue, table: TableRef, path: Path, target: Target): string {
  const columns = path.columns.map((name) => ({
    sql: `t.${quoted(name)}`,
    type: columnIn(catalogue, table, name),
  }));
  const [first] = columns;
  if (!first) throw new Error('a path has a column');
  if (path.json) return inJson(catalogue, first.sql, path.json, first.type, target);
  if (path.array) return inArray(catalogue, first.sql, first.type, target);
  // Each column alone can use an index; the tuple makes sure that they belong together.
  const each = columns.map((c, part) =>
    equals(catalogue, c.sql, c.type, target, columns.length > 1 ? part : undefined),
  );
  if (columns.length === 1 || target.single)
    return columns.length === 1 ? (each[0] as string) : `(${each.join(' and ')})`;
  const tuple = columns.map((c) => `${c.sql}::text`).join(', ');
  return `(${each.join(' and ')} and (${tuple}) in (${target.tuples?.() ?? ''}))`;
}

/** `= …` for one wanted value or for several. */
const among = (values: string, { single }: Target): string =>
  single ? `= (${values})` : `= any (array(${values}))`;

function equals(
  catalogue: Catalogue,
  sql: string,
  type: CatalogueColumn | undefined,
  target: Target,
  part?: number,
): string {
  const values = target.values(part);
  if (target.normaliser !== 'exact')
    return `${normaliseSql(target.normaliser, `${sql}::text`, catalogue.fold)} ${among(values, target)}`;
  const cast = valueAs(type?.base, 'wanted.v');
  if (!cast) return `${sql}::text ${among(values, target)}`;
  return `${sql} ${among(`select ${cast} from (${values}) as wanted`, target)}`;
}

function inArray(
  catalogue: Catalogue,
  sql: string,
  type: CatalogueColumn | undefined,
  target: Target,
): string {
  const cast = target.normaliser === 'exact' ? valueAs(type?.element, 'wanted.v', 'own type') : undefined;
  // && is what a GIN index on the array answers.
  if (cast) return `${sql} && array(select ${cast} from (${target.values()}) as wanted)`;
  const element = normaliseSql(target.normaliser, 'e.item::text', catalogue.fold);
  return `exists (select from unnest(${sql}) as e(item) where ${element} ${among(target.values(), target)})`;
}

function inJson(
  catalogue: Catalogue,
  sql: string,
  way: string[],
  type: CatalogueColumn | undefined,
  target: Target,
): string {
  const compare = (text: string) =>
    `${normaliseSql(target.normaliser, text, catalogue.fold)} ${among(target.values(), target)}`;
  if (!way.includes('*')) return compare(jsonText(sql, way));
  const json = type?.base === 'pg_catalog.jsonb' ? sql : `${sql}::jsonb`;
  return `exists (select from jsonb_path_query(${json}, ${jsonPath(way)}) as e(item) where ${compare("(e.item #>> '{}')")})`;
}

/** `t.meta #>> array['author', 'id']`: text of a number or string, in the form an expression index may have. */
const jsonText = (sql: string, way: string[]): string =>
  `(${sql} #>> ${literal(`{${way.map((step) => JSON.stringify(step)).join(',')}}`)})`;

const jsonPath = (way: string[]): string =>
  literal(`$${way.map((step) => (step === '*' ? '[*]' : `.${JSON.stringify(step)}`)).join('')}`);

/** `select … as v`: the texts that row `t` of the table holds at the end of this path; a composite key as one, as keySql makes it. */
export function pathValues(path: Path): string {
  const last = path.join.length;
  const row = last === 0 ? 't' : `j${last}`;
  const column = `${row}.${quoted(path.columns[0] as string)}`;
  const sources = path.join.map(
    (join, n) =>
      `(select t.* from ${qualified(join.table)} as t${join.where === undefined ? '' : ` where ${join.where}`}) as j${n + 1}`,
  );
  const conditions = path.join.flatMap((join, n) =>
    join.on.map(([from, to]) => `${n === 0 ? 't' : `j${n}`}.${quoted(from)} = j${n + 1}.${quoted(to)}`),
  );
  if (path.where !== undefined) conditions.push(`(${path.where})`);
  let value = keySql(path.columns, row);
  if (path.json && !path.json.includes('*')) value = jsonText(column, path.json);
  else if (path.json) {
    sources.push(`jsonb_path_query(${column}::jsonb, ${jsonPath(path.json)}) as e(item)`);
    value = `e.item #>> '{}'`;
  } else if (path.array) {
    sources.push(`unnest(${column}) as e(item)`);
    value = 'e.item::text';
  }
  const from = sources.length > 0 ? ` from ${sources.join(', ')}` : '';
  return `select ${value} as v${from}${conditions.length > 0 ? ` where ${conditions.join(' and ')}` : ''}`;
}

const anyOf = (conditions: string[]): string =>
  conditions.length === 0
    ? 'false'
    : conditions.length === 1
      ? (conditions[0] as string)
      : `(${conditions.join(' or ')})`;
