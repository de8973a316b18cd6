/**
 * Rules (CREATE RULE) that make something else of a DELETE or an UPDATE. Erasure and retention change rows in statements
 * that answer with what they changed, and there Postgres refuses nearly every rule: part-way through the first erasure,
 * unless it is asked beforehand.
 */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted, shown } from './names.js';
import { inPurges } from './purge-map.js';
import { referrersOf } from './referrers.js';
import { sweepable } from './sweepable.js';

type Event = 'delete' | 'update';

interface Rewrite {
  schema: string;
  table: string;
  name: string;
  event: Event;
  /** DO INSTEAD; else DO ALSO. */
  instead: boolean;
}

// 2: UPDATE, 4: DELETE. Disabled rules and those of replicas do nothing here.
const REWRITES = `
select n.nspname as schema, c.relname as "table", w.rulename as name,
       case w.ev_type when '4' then 'delete' else 'update' end as event, w.is_instead as instead
  from pg_rewrite w
  join pg_class c on c.oid = w.ev_class
  join pg_namespace n on n.oid = c.relnamespace
 where w.ev_type in ('2', '4') and w.ev_enabled in ('O', 'A')
   and n.nspname not in ('pg_catalog', 'information_schema')
 order by 1, 2, 3`;

/** Must run in a transaction. */
export async function rewriteRules(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Finding[]> {
  const all = await db.query<Rewrite>(REWRITES);
  if (all.length === 0) return [];
  const purged = map.workspaces ? inPurges(map, catalogue).collections : {};
  const found: Finding[] = [];
  for (const collection of Object.values(map.collections)) {
    const table = tableIn(catalogue, collection.table);
    if (!table || collection.builtIn) continue;
    const inPurge = purged[collection.name];
    for (const event of eventsOf(inPurge ? [collection, inPurge] : [collection])) {
      const rules = all.filter((rule) => rule.event === event);
      found.push(...(await ofItself(db, catalogue, { collection, table, event, rules })));
      if (event === 'delete') found.push(...ofReferrers(catalogue, { collection, table, rules: all }));
    }
  }
  return found;
}

/** What an erasure, a purge or retention does to rows of the collection. */
function eventsOf(lives: readonly Collection[]): Event[] {
  const deletes = lives.some((one) => isDeleted(one) || sweepable(one));
  // Out of shared rows that stay the one who went is taken.
  const updates = lives.some((one) => one.shared ?? Object.keys(changesOf(one)).length > 0);
  return [...(deletes ? (['delete'] as const) : []), ...(updates ? (['update'] as const) : [])];
}

interface Aim {
  collection: Collection;
  table: CatalogueTable;
  event: Event;
  rules: readonly Rewrite[];
}

/** Rules of the table; of a view those of the tables behind it as well, which Postgres puts in its place. */
async function ofItself(db: SqlRunner, catalogue: Catalogue, aim: Aim): Promise<Finding[]> {
  const { collection, table, event, rules } = aim;
  const behind = chain(catalogue, table);
  const own = rules.filter((rule) => behind.some((one) => isOn(rule, one)));
  if (own.length === 0) return [];
  const refusal = await refusalOf(db, aim);
  return own.flatMap((rule) => {
    const stored = behind.some((one) => isOn(rule, one) && one.kind !== 'view');
    // That is how a view that joins tables is made to be written.
    if (refusal === undefined && !stored) return [];
    const why =
      refusal === undefined
        ? `it puts something else in the place of what the ${event} of rows of ${collection.name} asks for`
        : `Postgres refuses to ${event} rows of ${collection.name} with it, part-way through an erasure or a sweep (${refusal})`;
    return [
      finding('erasure.rewrite_rule', table, undefined, `${named(rule, table)}: ${why}. ${wayOut(event)}`),
    ];
  });
}

/** A foreign key's own statements are rewritten too: ON DELETE CASCADE and SET NULL fail, or do not do what they say. */
const ofReferrers = (catalogue: Catalogue, { collection, table, rules }: Omit<Aim, 'event'>): Finding[] =>
  chain(catalogue, table)
    .flatMap((one) => referrersOf(catalogue, one))
    .flatMap(({ child, key }) => {
      const event: Event | undefined =
        key.onDelete === 'cascade'
          ? 'delete'
          : key.onDelete === 'set null' || key.onDelete === 'set default'
            ? 'update'
            : undefined;
      return rules
        .filter((rule) => rule.instead && rule.event === event && isOn(rule, child))
        .map((rule) =>
          finding(
            'erasure.rewrite_rule',
            child,
            key.columns.join(', '),
            `${named(rule, child)}: it is put in the place of what ON DELETE ${key.onDelete.toUpperCase()} of ${key.name} does when rows of ` +
              `${collection.name} are deleted, so that the delete fails or leaves rows that refer to nothing. ${wayOut(rule.event)}`,
          ),
        );
    });

const wayOut = (event: Event): string =>
  `Make a trigger of it (BEFORE or AFTER ${event.toUpperCase()} … FOR EACH ROW), and drop the rule.`;

const named = ({ name, event, instead, schema, table: of }: Rewrite, table: CatalogueTable): string =>
  `Rule ${name}${isOn({ schema, table: of }, table) ? '' : ` of ${shown({ schema, name: of })}`} ` +
  `(ON ${event.toUpperCase()} DO ${instead ? 'INSTEAD' : 'ALSO'})`;

const isOn = ({ schema, table }: Pick<Rewrite, 'schema' | 'table'>, one: CatalogueTable): boolean =>
  one.schema === schema && one.name === table;

/** The table itself, or the view and what it reads, as far as that is one table. */
function chain(catalogue: Catalogue, table: CatalogueTable): CatalogueTable[] {
  const [read, ...more] = table.kind === 'view' ? table.reads : [];
  const next = read && more.length === 0 ? tableIn(catalogue, read) : undefined;
  return next ? [table, ...chain(catalogue, next)] : [table];
}

/** `feature_not_supported`: how Postgres refuses to rewrite a statement. Any other refusal is not the rule's. */
const NOT_SUPPORTED = '0A000';

/** Plans a statement of the form that erasure has, over no row. */
async function refusalOf(db: SqlRunner, { collection, table, event }: Aim): Promise<string | undefined> {
  const free = table.columns.find(({ generated }) => !generated)?.name;
  const column = quoted(Object.keys(changesOf(collection))[0] ?? free ?? '');
  const change =
    event === 'delete'
      ? `delete from ${qualified(table)} as t`
      : `update ${qualified(table)} as t set ${column} = t.${column}`;
  await db.query('savepoint habeas_rules');
  try {
    await db.query(`explain with gone as (${change} where false returning 1) select count(*) from gone`);
    await db.query('release savepoint habeas_rules');
    return undefined;
  } catch (error) {
    await db.query('rollback to savepoint habeas_rules');
    const { code, message } = error as { code?: string; message?: string };
    return code === NOT_SUPPORTED ? message : undefined;
  }
}
