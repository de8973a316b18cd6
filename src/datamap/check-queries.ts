/**
 * Are the queries that the map leads to valid (and fast: check-speed.ts)? Postgres itself is asked, by
 * EXPLAIN: nothing is read. It finds what no reading of the catalogue can: mistakes in a `where`,
 * operators that do not exist, policies behind views.
 */
import { messageOf } from '../errors.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { slowIdentifiers, slowPaths, slowRetentions } from './check-speed.js';
import { compositeKey } from './keys.js';
import { type Collection, type DataMap } from './map.js';
import { type TableRef } from './names.js';
import { People } from './people.js';
import { settingsStatement, type Subject } from './settings.js';
import { collectionQuery, filesQuery, workspacesTouchedQuery } from './walk.js';
import { HostWorkspaces } from './workspaces.js';

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
  errors.push(...(await lookups(db, map, catalogue)));
  if (errors.length === 0) warnings.push(...(await slowIdentifiers(db, map, catalogue)));
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
      warnings.push(...(await slowPaths(db, map, catalogue, collection)));
  }
  if (errors.length === 0) warnings.push(...(await slowRetentions(db, map, catalogue)));
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

/** Everything that is asked about people and workspaces, explained instead of run. */
async function lookups(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Finding[]> {
  const findings: Finding[] = [];
  const explaining: SqlRunner = {
    query: async (sql, values) => {
      await db.query(`explain ${sql}`, values);
      return [];
    },
  };
  const attempt = async (table: TableRef, what: string, work: () => Promise<unknown>) => {
    await db.query('savepoint habeas_check');
    try {
      await work();
    } catch (error) {
      findings.push(
        finding('query.fails', table, undefined, `Postgres refuses to look up ${what}: ${messageOf(error)}`),
      );
    }
    await db.query('rollback to savepoint habeas_check');
  };
  const people = new People(map, catalogue);
  const workspaces = new HostWorkspaces(map, catalogue);
  for (const { name: kind, table, key: columns, identifiers, signIn } of Object.values(map.subjects)) {
    if (!table) continue;
    const key = columns.length === 1 ? '0' : compositeKey(columns.map(() => '0'));
    await attempt(table, `a ${kind}`, async () => {
      await people.byKey(explaining, kind, key);
      await people.named(explaining, [{ kind, key }]);
      await people.profile(explaining, { kind, key });
      for (const identifier of Object.keys(identifiers)) await people.find(explaining, identifier, '0', kind);
      if (signIn) await people.bySignIn(explaining, { [signIn.claim]: '0' });
    });
    if (map.workspaces) {
      const about = map.workspaces.memberships[0]?.table ?? map.workspaces.table;
      await attempt(about, `the workspaces of a ${kind}`, () =>
        workspaces.memberships(explaining, { kind, key }),
      );
    }
  }
  if (map.workspaces)
    await attempt(map.workspaces.table, 'a workspace', async () => {
      await workspaces.workspaceName(explaining, '0');
      await workspaces.members(explaining, '0');
    });
  return findings;
}
