import { type SqlRunner } from '../../database/unit-of-work.js';
import { shown } from '../../datamap/names.js';
import { reachesOthers, rowsKept, type SoFar } from '../erasure-failure.js';
import { type BatchDone, type ErasureSql } from './sql.js';
import { lockedFirst } from './row-locks.js';
import { Values } from './statement.js';
import { type Aim, type StepContext, type StepWork } from './context.js';
import { type Places } from './rows.js';

/** What a guard or a trigger keeps of a circle keeps all of it: no later step would find it. */
async function nothingStays(
  db: SqlRunner,
  { collection }: StepWork,
  sql: ErasureSql,
  far: SoFar,
): Promise<void> {
  const rowsOf = async ({ sql: query, values = [] }: { sql: string; values?: unknown[] }) =>
    Number((await db.query<{ rows: string }>(query, values))[0]?.rows);
  const guarded = sql.guarded();
  const held = guarded ? await rowsOf(guarded) : 0;
  if (held > 0)
    throw reachesOthers(collection.name, shown(sql.table), held, guarded?.keys.join(', ') ?? '', far);
  const left = await rowsOf(sql.count());
  if (left > 0) throw rowsKept(collection.name, shown(sql.table), left, far);
}

/** Of each collection the rows that had to be locked first; what others have locked is waited for, as a circle goes whole. */
async function lockedOfAll(db: SqlRunner, aims: readonly Aim[]): Promise<(Places[] | undefined)[]> {
  const all: (Places[] | undefined)[] = [];
  for (const { sql } of aims)
    all.push(
      await lockedFirst(db, sql.rows, { rows: (values) => sql.rows.toDo(values), locked: 'wait for' }),
    );
  return all;
}

/** All rows of collections that refer to each other, in one statement: at its end no key is left hanging. */
export async function eraseCircle(context: StepContext, works: StepWork[]): Promise<void> {
  const { job, erasures, files } = context.parts;
  const aims = works.map((work) => context.aim(work));
  const waiting = context.waiting();
  const far: SoFar[] = [];
  for (const { collection } of works) far.push(await context.soFar(collection.name));
  const [first] = works as [StepWork];
  const [aim] = aims as [Aim];
  for (;;) {
    const done = await context.attempt(first, async (tx) => {
      await context.settle(tx, aim.selection);
      const outcome = aims.map(
        (_, n) =>
          `select ${n} as n, count(*)::int as done, json_agg(file) filter (where file is not null) as files from gone${n}`,
      );
      const rows = await tx.asHost(async (db) => {
        const parts: string[] = [];
        const values = new Values();
        const locked = await lockedOfAll(db, aims);
        for (const [n, { sql }] of aims.entries())
          parts.push(`gone${n} as (${sql.wholeDelete(values, locked[n])})`);
        const found = await db.query<Pick<BatchDone, 'done' | 'files'> & { n: number }>(
          `with ${parts.join(', ')} ${outcome.join(' union all ')}`,
          values.all,
        );
        await db.query('set constraints all immediate');
        for (const [n, { sql }] of aims.entries())
          await nothingStays(db, works[n] as StepWork, sql, far[n] as SoFar);
        return found;
      });
      for (const { n, done: gone, files: named } of rows) {
        const work = works[n] as StepWork;
        await files.note(tx, job.id, work.step.ordinal, named ?? []);
        await context.noteProgress(tx, work, { done: gone });
      }
      for (const { step } of works) await erasures.noteFinished(tx, job.id, step.ordinal);
      return true;
    });
    if (done !== 'locked') return;
    await context.waitOrThrow(waiting, first, aim, await context.count(aim));
  }
}
