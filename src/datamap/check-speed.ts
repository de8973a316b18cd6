/**
 * Which queries read a big table from end to end for a single person? Postgres's planner is asked with
 * sequential scans made unattractive: what still is one has no index to use.
 */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable, columnIn, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap, type Path } from './map.js';
import { qualified, quoted, type TableRef } from './names.js';
import { indexesFor, subjectPathCondition } from './paths.js';
import { sweepables } from './sweepable.js';
import { rowsSelected } from './walk.js';

/** Below this many rows reading a whole table is nothing to warn of. */
const MANY_ROWS = 50_000;

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  Plans?: PlanNode[];
}

/** Identifiers by which nobody can be found without reading the whole table of people. */
export async function slowIdentifiers(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name: kind, table, identifiers } of Object.values(map.subjects)) {
    const found = table && tableIn(catalogue, table);
    if (!table || !found || rowsOf(catalogue, found) < MANY_ROWS) continue;
    for (const { name, column } of Object.values(identifiers)) {
      if (column === undefined) continue;
      const path: Path = { columns: [column], join: [], array: false, as: name };
      const condition = subjectPathCondition(map, catalogue, table, kind, path);
      const read = await readWhole(db, `select t.* from ${qualified(table)} as t where ${condition}`);
      if (!read.some((ref) => belongsTo(catalogue, ref, table))) continue;
      const [index] = indexesFor(map, catalogue, table, kind, path);
      findings.push(
        finding(
          'query.scans',
          table,
          column,
          `Finding a ${kind} by ${name} reads this whole table (about ${Math.round(rowsOf(catalogue, found))} rows). Create an index: create index on ${qualified(table)} ${index?.on ?? ''};`,
        ),
      );
    }
  }
  return findings;
}

/** Big tables that finding one person's rows reads from end to end, even when Postgres is asked not to. */
export async function slowPaths(
  db: SqlRunner,
  map: DataMap,
  catalogue: Catalogue,
  collection: Collection,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [kind, paths] of Object.entries(collection.subject))
    for (const path of paths) {
      const condition = subjectPathCondition(map, catalogue, collection.table, kind, path);
      const read = await readWhole(
        db,
        `select t.* from ${qualified(collection.table)} as t where ${condition}`,
      );
      for (const { table, on } of indexesFor(map, catalogue, collection.table, kind, path)) {
        const found = tableIn(catalogue, table);
        if (
          !found ||
          rowsOf(catalogue, found) < MANY_ROWS ||
          !read.some((ref) => belongsTo(catalogue, ref, table))
        )
          continue;
        const advice = on
          ? `Create an index: create index on ${qualified(table)} ${on};`
          : 'No index can serve this path: keep the identifier in a column of its own.';
        findings.push(
          finding(
            'query.scans',
            table,
            path.columns.join(', '),
            `Finding one ${kind} in collection ${collection.name} reads this whole table (about ${Math.round(rowsOf(catalogue, found))} rows). ${advice}`,
          ),
        );
      }
    }
  return findings;
}

/** Big tables that looking for rows whose retention is over, each hour, reads from end to end. */
export async function slowRetentions(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { collection, after } of sweepables(map)) {
    const { table, workspace, name } = collection;
    const found = tableIn(catalogue, table);
    if (!found || rowsOf(catalogue, found) < MANY_ROWS) continue;
    const moments: Record<string, string> = {
      'pg_catalog.date': 'current_date',
      'pg_catalog.timestamp': `(now() at time zone 'UTC')`,
    };
    const moment = moments[columnIn(catalogue, table, after)?.base ?? ''] ?? 'now()';
    const selection = workspace.length > 0 ? { workspaces: [''] } : {};
    const condition = `${rowsSelected(map, catalogue, collection, selection)} and t.${quoted(after)} <= ${moment}`;
    const read = await readWhole(db, `select t.* from ${qualified(table)} as t where ${condition}`);
    if (!read.some((ref) => belongsTo(catalogue, ref, table))) continue;
    const own = workspace.flatMap(({ join, columns }) => (join.length === 0 ? columns : []));
    const columns = [...own, after].map(quoted).join(', ');
    findings.push(
      finding(
        'query.scans',
        table,
        after,
        `Looking for rows of ${name} whose retention is over reads this whole table (about ${Math.round(rowsOf(catalogue, found))} rows). Create an index: create index on ${qualified(table)} (${columns});`,
      ),
    );
  }
  return findings;
}

/** The tables that the query reads by sequential scan when every other way is preferred. */
async function readWhole(db: SqlRunner, sql: string): Promise<TableRef[]> {
  await db.query('savepoint habeas_check');
  await db.query('set local enable_seqscan = off');
  const [row] = await db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (format json, verbose) ${sql}`,
  );
  await db.query('rollback to savepoint habeas_check');
  return (row ? nodes(row['QUERY PLAN'][0].Plan) : [])
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => ({ schema: node.Schema ?? '', name: node['Relation Name'] ?? '' }));
}

/** Estimated rows; autovacuum never analyses a partitioned table itself, so its partitions are added up. */
export function rowsOf(catalogue: Catalogue, table: CatalogueTable): number {
  if (table.kind !== 'partitioned') return table.rows;
  const partitions = [...catalogue.tables.values()].filter(
    (t) => t.root && qualified(t.root) === qualified(table),
  );
  return partitions.reduce((sum, t) => sum + Math.max(t.rows, 0), 0);
}

/** The table itself or one of its partitions. */
function belongsTo(catalogue: Catalogue, ref: TableRef, table: TableRef): boolean {
  const root = tableIn(catalogue, ref)?.root ?? ref;
  return qualified(root) === qualified(table) || qualified(ref) === qualified(table);
}

const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
