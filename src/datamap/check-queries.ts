/**
 * Are the queries that the map leads to valid, and can they use an index? Postgres itself is asked, by
 * EXPLAIN: nothing is read. It also finds what no reading of the catalogue can: mistakes in a `where`,
 * operators that do not exist, policies behind views.
 */
import { messageOf } from '../errors.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified } from './names.js';
import { settingsStatement } from './settings.js';
import { collectionQuery, filesQuery, rowsSelected, workspacesTouchedQuery } from './walk.js';

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
  const settings = settingsStatement({ subjects: [], workspaces: [], maskKey: Buffer.alloc(32) });
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

function queriesOf(map: DataMap, catalogue: Catalogue, { name, subject, workspace }: Collection): string[] {
  const people = Object.keys(subject).length > 0 ? { subjects: [] } : {};
  const places = workspace.length > 0 ? { workspaces: [], unplaced: true } : {};
  const selection = { ...people, ...places };
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
  const condition = rowsSelected(map, catalogue, collection, { subjects: [] });
  await db.query('savepoint habeas_check');
  await db.query('set local enable_seqscan = off');
  const [row] = await db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (format json, verbose) select t.* from ${qualified(collection.table)} as t where ${condition}`,
  );
  await db.query('rollback to savepoint habeas_check');
  const read = row ? nodes(row['QUERY PLAN'][0].Plan).filter((node) => node['Node Type'] === 'Seq Scan') : [];
  return read.flatMap((node) => {
    const table = tableIn(catalogue, { schema: node.Schema ?? '', name: node['Relation Name'] ?? '' });
    if (!table || table.rows < MANY_ROWS) return [];
    return [
      finding(
        'query.scans',
        table,
        undefined,
        `Finding one person in collection ${collection.name} reads this whole table (about ${Math.round(table.rows)} rows). Create an index for: ${condition}`,
      ),
    ];
  });
}

const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
