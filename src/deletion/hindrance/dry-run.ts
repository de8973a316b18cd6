/** Whether an erasure could be done as things are now, asked before its first step, and before any that is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { readCatalogue } from '../../datamap/catalogue.js';
import { type ErasureOrder } from '../../datamap/erasure-order.js';
import { type DataMap } from '../../datamap/map.js';
import { shown } from '../../datamap/names.js';
import { tableOf } from '../../datamap/render.js';
import { CascadeGuard } from './cascade-guard.js';
import { ErasureExtent } from './extent.js';
import { failureOf, isPassing, rowsLocked, standsInTheWay } from '../erasure-failure.js';
import { type Step } from '../erasures.js';
import { type Hindrance, Hindrances } from './hindrances.js';
import { traitsOf } from './host-traits.js';
import { type StepContext } from '../step/context.js';

const BETWEEN_TRIES = 300;

export interface DryRun {
  order: ErasureOrder;
  steps: readonly Step[];
  /** Something is gone already. */
  begun: boolean;
}

/**
 * Reads only, one query for each collection to which keys lead that the catalogue alone cannot clear. Every step asks
 * again for its own rows, since others may come between; what could only be told by deleting (keys of tables that may
 * not be read, or where triggers of the host clean up) is told there.
 * @throws DomainError `erasure.blocked_by_constraint` that names every foreign key in the way; `erasure.rows_locked` where
 * it was cancelled again and again
 */
export async function assertNothingInTheWay(context: StepContext, { order, steps, begun }: DryRun) {
  const open = new Set(
    steps.filter(({ finishedAt, rule }) => finishedAt === null && rule !== 'keep').map((s) => s.collection),
  );
  const { host, job, options } = context.parts;
  const { map } = host.current();
  const leaving = Object.values(map.collections).filter(
    ({ name, erasure }) => open.has(name) && erasure.rule === 'delete',
  );
  const [first] = leaving;
  if (!first) return;
  // Its own transaction: it locks the request, which nobody shall wait for while rows are looked at.
  await context.within(async (tx) => options.shouldGoOn?.(tx));
  const look = async (tx: UnitOfWork): Promise<Hindrance[]> => {
    // As it is at this moment: a key may have been made since the map was last held against the database.
    const catalogue = await tx.asHost((db) => readCatalogue(db));
    const noted = new Set(begun ? notedOf(map, order) : []);
    const extent = new ErasureExtent({ on: { map, catalogue }, job, steps, noted });
    await context.settle(tx, extent.selection);
    return tx.asHost(async (db) => {
      const outside = [...catalogue.tables.values()].filter(
        (table) => extent.bystanders.mapped(table).length === 0,
      );
      const tables = leaving.map((collection) => tableOf(catalogue, collection));
      const traits = await traitsOf(db, catalogue, outside, tables);
      const parts = { catalogue, extent, guard: new CascadeGuard(map, catalogue, job), traits };
      const all: Hindrance[] = [];
      for (const collection of leaving)
        all.push(...(await inTheWay(db, new Hindrances(parts, collection).all())));
      return all;
    });
  };
  const waiting = context.waiting();
  let found = await context.within(look, 0).catch(unlessPassing);
  while (found === 'locked') {
    options.signal?.throwIfAborted();
    if (waiting.isOver()) throw rowsLocked(first.name, shown(first.table), 1);
    await sleep(BETWEEN_TRIES);
    found = await context.within(look, 0).catch(unlessPassing);
  }
  if (found.length > 0) throw standsInTheWay(found, begun);
}

/** As in every batch: nothing is wrong, and it costs the request no attempt. */
function unlessPassing(error: unknown): 'locked' {
  if (isPassing(error)) return 'locked';
  throw error;
}

/** Collections whose rows were noted before anything went. */
const notedOf = ({ collections }: DataMap, { gathered }: ErasureOrder): string[] =>
  Object.values(collections)
    .filter(({ name, erasure }) => gathered.has(name) || erasure.rule === 'tombstone')
    .map(({ name }) => name);

async function inTheWay(db: SqlRunner, hindrances: readonly Hindrance[]): Promise<Hindrance[]> {
  const suspects = hindrances.filter(({ rows }) => rows !== undefined);
  const [first] = suspects;
  if (!first) return [...hindrances];
  const asked = suspects.map(({ rows }, n) => `exists (${rows ?? ''}) as w${n}`);
  const [answer = {}] = await db
    .query<Record<string, boolean>>(`select ${asked.join(', ')}`)
    .catch((error: unknown) => {
      if (isPassing(error)) throw error;
      throw failureOf(error, first.collection, first.table, 0);
    });
  const real = new Set(suspects.filter((_, n) => answer[`w${n}`]));
  return hindrances.filter((one) => one.rows === undefined || real.has(one));
}
