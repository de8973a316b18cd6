/**
 * From a path of the map to SQL. A condition never correlates with the row it filters: what a path leads to
 * is gathered into an array first (`= any (array(select …))`, an InitPlan), so each condition can use an
 * index and several can be OR'd into one bitmap, where a sub-select per row or a semi-join under OR would
 * read the whole table.
 */
import { type Catalogue, type CatalogueColumn, columnIn } from './catalogue.js';
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
}

/** The condition that row `t` of the collection reaches one of the people asked about. */
export function subjectCondition(map: DataMap, catalogue: Catalogue, collection: Collection): string {
  const conditions = Object.entries(collection.subject).flatMap(([kind, paths]) =>
    paths.map((path) => pathCondition(catalogue, collection.table, path, targetOf(map, kind, path))),
  );
  return anyOf(conditions);
}

/** The condition that row `t` reaches one person of this kind through this one path. */
export const subjectPathCondition = (
  map: DataMap,
  catalogue: Catalogue,
  table: TableRef,
  kind: string,
  path: Path,
): string => pathCondition(catalogue, table, path, targetOf(map, kind, path));

/** The condition that row `t` of the collection belongs to one of the workspaces asked about. */
export function workspaceCondition(catalogue: Catalogue, collection: Collection): string {
  const target: Target = { values: workspacesSql, normaliser: 'exact' };
  // A single path is not OR'd with anything: a semi-join then lets the planner hash a workspace's rows,
  // where an array of all their keys would be the size of the workspace.
  const step = collection.workspace.length === 1 ? 'semi-join' : 'array';
  return anyOf(
    collection.workspace.map((path) => pathCondition(catalogue, collection.table, path, target, step)),
  );
}

/** `select … as v`: the workspaces, as host keys, that row `t` leads to; correlated with `t`. */
export const workspacesOfRow = (collection: Collection): string =>
  collection.workspace.map((path) => pathValues(path)).join(' union ');

function targetOf(map: DataMap, kind: string, path: Path): Target {
  const normaliser = normaliserOf(map, kind, path.as);
  const { as } = path;
  if (as !== undefined && map.subjects[kind]?.table)
    return { normaliser, values: () => identifiersSql(kind, as) };
  const parts = path.columns.length;
  if (parts === 1) return { normaliser, values: () => keysSql(kind) };
  return { normaliser, values: (part) => keysSql(kind, part), tuples: () => compositeKeysSql(kind, parts) };
}

function pathCondition(
  catalogue: Catalogue,
  table: TableRef,
  path: Path,
  target: Target,
  step: 'array' | 'semi-join' = 'array',
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
  const select = (columns: string[]) =>
    `select ${columns.map((c) => `t.${quoted(c)}`).join(', ')} from ${qualified(join.table)} as t where ${filter}`;
  const here = join.on.map(([from]) => `t.${quoted(from)}`);
  const there = join.on.map(([, to]) => to);
  if (step === 'semi-join') return `(${here.join(', ')}) in (${select(there)})`;
  const each = here.map((column, n) => `${column} = any (array(${select([there[n] as string])}))`);
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
  if (columns.length === 1)
    return equals(catalogue, first.sql, first.type, target.values(), target.normaliser);
  // Each column alone can use an index; the tuple makes sure that they belong together.
  const each = columns.map((c, part) => equals(catalogue, c.sql, c.type, target.values(part), 'exact'));
  const tuple = columns.map((c) => `${c.sql}::text`).join(', ');
  return `(${each.join(' and ')} and (${tuple}) in (${target.tuples?.() ?? ''}))`;
}

function equals(
  catalogue: Catalogue,
  sql: string,
  type: CatalogueColumn | undefined,
  values: string,
  normaliser: Normaliser,
): string {
  if (normaliser !== 'exact')
    return `${normaliseSql(normaliser, `${sql}::text`, catalogue.fold)} = any (array(${values}))`;
  const cast = valueAs(type?.base, 'v');
  if (!cast) return `${sql}::text = any (array(${values}))`;
  return `${sql} = any (array(select ${cast} from (${values}) as wanted))`;
}

function inArray(
  catalogue: Catalogue,
  sql: string,
  type: CatalogueColumn | undefined,
  target: Target,
): string {
  const cast = target.normaliser === 'exact' ? valueAs(type?.element, 'v', 'own type') : undefined;
  // && is what a GIN index on the array answers.
  if (cast) return `${sql} && array(select ${cast} from (${target.values()}) as wanted)`;
  const element = normaliseSql(target.normaliser, 'e::text', catalogue.fold);
  return `exists (select from unnest(${sql}) as e where ${element} = any (array(${target.values()})))`;
}

function inJson(
  catalogue: Catalogue,
  sql: string,
  way: string[],
  type: CatalogueColumn | undefined,
  target: Target,
): string {
  const wanted = `any (array(${target.values()}))`;
  const compare = (text: string) => `${normaliseSql(target.normaliser, text, catalogue.fold)} = ${wanted}`;
  if (!way.includes('*')) return compare(jsonText(sql, way));
  const json = type?.base === 'pg_catalog.jsonb' ? sql : `${sql}::jsonb`;
  return `exists (select from jsonb_path_query(${json}, ${jsonPath(way)}) as e where ${compare("(e #>> '{}')")})`;
}

/** `t.meta #>> array['author', 'id']`: text of a number or string, in the form an expression index may have. */
const jsonText = (sql: string, way: string[]): string =>
  `(${sql} #>> ${literal(`{${way.map((step) => JSON.stringify(step)).join(',')}}`)})`;

const jsonPath = (way: string[]): string =>
  literal(`$${way.map((step) => (step === '*' ? '[*]' : `.${JSON.stringify(step)}`)).join('')}`);

/** `select … as v`: the texts that row `t` of the table holds at the end of this path. */
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
  let value = `${column}::text`;
  if (path.json && !path.json.includes('*')) value = jsonText(column, path.json);
  else if (path.json) {
    sources.push(`jsonb_path_query(${column}::jsonb, ${jsonPath(path.json)}) as e`);
    value = `e #>> '{}'`;
  } else if (path.array) {
    sources.push(`unnest(${column}) as e`);
    value = 'e::text';
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
