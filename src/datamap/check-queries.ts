/**
 * Are the queries that the map leads to valid, and can they use an index? Postgres itself is asked, by
 * EXPLAIN: nothing is read. It also finds what no reading of the catalogue can: mistakes in a `where`,
 * operators that do not exist, policies behind views.
 */
import { messageOf } from '../errors.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, type TableRef } from './names.js';
import { indexesFor, subjectPathCondition } from './paths.js';
import { settingsStatement, type Subject } from './settings.js';
import { collectionQuery, filesQuery, workspacesTouchedQuery } from './walk.js';

/** Below this many rows reading a whole table is nothing to warn of. */
const MANY_ROWS = 50_000;

/** Must run in a transaction: each query is tried in a savepoint. */
export async function checkQueries(
  db: SqlRunner,
  map: DataMap,
  catalogue: Catalogue,
): Promise<{ errors: Finding[]; warnings: Finding[] }> {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  const settings = settingsStatement({
    subjects: anybody(Object.keys(map.subjects)),
    workspaces: [],
    maskKey: Buffer.alloc(32),
  });
  await db.query(settings.sql, settings.values);
  for (const collection of Object.values(map.collections)) {
    if (collection.builtIn || !tableIn(catalogue, collection.table)) continue;
    const mistake = await firstMistake(db, queriesOf(map, catalogue, collection));
    if (mistake !== undefined)
      errors.push(
        finding(
          'query.fails',
          collection.table,
          undefined,
          `Postgres refuses the query of collection ${collection.name}: ${mistake}`,
        ),
      );
    else if (Object.keys(collection.subject).length > 0)
      warnings.push(...(await scans(db, map, catalogue, collection)));
  }
  return { errors, warnings };
}

/** Nobody of every kind: the text of a query depends on the kinds it is about. */
const anybody = (kinds: string[]): Subject[] => kinds.map((kind) => ({ kind, key: '', identifiers: {} }));

function queriesOf(map: DataMap, catalogue: Catalogue, { name, subject, workspace }: Collection): string[] {
  const people = Object.keys(subject).length > 0 ? { subjects: anybody(Object.keys(subject)) } : {};
  const places = workspace.length > 0 ? { workspaces: [], unplaced: true } : {};
  const selection = { ...people, ...places, maskKey: Buffer.alloc(32) };
  const queries = [
    collectionQuery(map, catalogue, name, selection).sql,
    filesQuery(map, catalogue, name, selection),
    workspacesTouchedQuery(map, catalogue, name, selection),
  ];
  return queries.filter((sql) => sql !== undefined);
}

async function firstMistake(db: SqlRunner, queries: string[]): Promise<string | undefined> {
  for (const sql of queries) {
    await db.query('savepoint habeas_check');
    try {
      await db.query(`explain ${sql}`);
    } catch (error) {
      await db.query('rollback to savepoint habeas_check');
      return messageOf(error);
    }
    await db.query('release savepoint habeas_check');
  }
  return undefined;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  Plans?: PlanNode[];
}

/** Big tables that finding one person's rows reads from end to end, even when Postgres is asked not to. */
async function scans(
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
      for (const { table, on } of indexesFor(map, catalogue, collection, kind, path)) {
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
function rowsOf(catalogue: Catalogue, table: CatalogueTable): number {
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
