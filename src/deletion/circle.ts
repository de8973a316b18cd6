import { type BatchDone, Values } from './erasure-sql.js';
import { type Aim, type StepContext, type StepWork } from './step-context.js';

/** All rows of collections that refer to each other, in one statement: at its end no key is left hanging. */
export async function eraseCircle(context: StepContext, works: StepWork[]): Promise<void> {
  const { job, erasures, files } = context.parts;
  const aims = works.map((work) => context.aim(work));
  const waiting = context.waiting();
  const [first] = works as [StepWork];
  const [aim] = aims as [Aim];
  for (;;) {
    const done = await context.attempt(first, async (tx) => {
      await context.settle(tx, aim.selection);
      const values = new Values();
      const parts = aims.map(({ sql }, n) => `gone${n} as (${sql.wholeDelete(values)})`);
      const outcome = aims.map(
        (_, n) =>
          `select ${n} as n, count(*)::int as done, json_agg(file) filter (where file is not null) as files from gone${n}`,
      );
      const rows = await tx.asHost(async (db) => {
        const found = await db.query<Pick<BatchDone, 'done' | 'files'> & { n: number }>(
          `with ${parts.join(', ')} ${outcome.join(' union all ')}`,
          values.all,
        );
        await db.query('set constraints all immediate');
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
