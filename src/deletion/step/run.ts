/** One step of an erasure, batch by batch, until nothing of it is left. */
import { shown } from '../../datamap/names.js';
import { type Subject } from '../../datamap/settings.js';
import { eraseCircle } from './circle.js';
import { reachesOthers, rowsCameBack, rowsKept } from '../erasure-failure.js';
import { pseudonymised } from '../erasure-plan.js';
import { NotedRows } from './noted-rows.js';
import { Pace } from './pace.js';
import { RowSource } from './row-source.js';
import { type Statement } from './statement.js';
import { type Aim, type StepContext, type StepWork } from './context.js';

/** Rows that keep coming back after so many rounds are put back by something. */
const PASSES = 5;

export class StepRun {
  private readonly noted: NotedRows;

  constructor(private readonly context: StepContext) {
    this.noted = new NotedRows(context);
  }

  /** Notes the rows of a step beforehand. */
  gather(work: StepWork): Promise<void> {
    return this.noted.gather(work);
  }

  /** Runs one step, or the steps of one circle of foreign keys, to the end. */
  async run(works: StepWork[]): Promise<void> {
    const [work] = works;
    if (!work) return;
    const { collection, step } = work;
    if (works.length > 1) await eraseCircle(this.context, works);
    else if (step.rule === 'keep') await this.keep(work);
    else if (work.noted) await this.noted.erase(work);
    else
      for (const subject of pseudonymised(this.context.parts.job, collection))
        await this.selectedRows(work, subject);
    if (collection.shared && works.length === 1) await this.letGo(work);
    await this.context.within((tx) =>
      this.context.parts.erasures.noteFinished(tx, this.context.parts.job.id, step.ordinal),
    );
  }

  /** Shared rows that stay for others do so without the person's name in them. What others have locked is waited for. */
  private async letGo(work: StepWork): Promise<void> {
    const aim = this.context.aim(work);
    const statements = aim.sql.letGo(1000);
    if (!statements) return;
    const { name } = work.collection;
    for (let pass = 1; ; pass += 1) {
      const rows = await this.namingRows(aim, statements.left);
      if (rows === 0) return;
      if (pass > PASSES) throw rowsKept(name, shown(aim.sql.table), rows, await this.context.soFar(name));
      await this.letGoOf(rows, work, aim, statements.batch);
    }
  }

  /** So many rows, in batches. */
  private async letGoOf(rows: number, work: StepWork, aim: Aim, { sql, values }: Statement): Promise<void> {
    const waiting = this.context.waiting();
    for (let left = rows; left > 0;) {
      const done = await this.context.attempt(work, async (tx) => {
        await this.context.settle(tx, aim.selection);
        const [batch] = await tx.asHost((db) => db.query<{ letGo: number }>(sql, values));
        await this.context.noteProgress(tx, work, batch ?? {});
        return batch?.letGo ?? 0;
      });
      if (done === 0) return;
      if (done === 'locked') await this.context.waitOrThrow(waiting, work, aim, 1);
      else left -= done;
    }
  }

  private namingRows({ selection }: Aim, { sql, values }: Statement): Promise<number> {
    return this.context.within(async (tx) => {
      await this.context.settle(tx, selection);
      return Number((await tx.asHost((db) => db.query<{ rows: string }>(sql, values)))[0]?.rows);
    }, 0);
  }

  private async keep(work: StepWork): Promise<void> {
    const { erasures, job } = this.context.parts;
    const kept = await this.context.count(this.context.aim(work));
    await this.context.within((tx) => erasures.noteFinished(tx, job.id, work.step.ordinal, kept));
  }

  /** Rows that the selection finds until there are none. */
  private async selectedRows(work: StepWork, subject: Subject | undefined): Promise<void> {
    const aim = this.context.aim(work, subject);
    const { name } = work.collection;
    const waiting = this.context.waiting();
    let handled = 0;
    for (let pass = 1; ;) {
      const rows = await this.context.count(aim);
      if (rows === 0) break;
      if (pass > PASSES) {
        const stopped = handled > 0 ? rowsCameBack : rowsKept;
        throw stopped(name, shown(aim.sql.table), rows, await this.context.soFar(name));
      }
      const passed = await this.pass(work, aim, rows);
      const { locked } = passed;
      handled = passed.handled;
      if (locked && handled === 0) await this.context.waitOrThrow(waiting, work, aim, rows);
      else pass += 1;
    }
    await this.nothingStays(work, aim);
  }

  /** Up to `rows` rows in batches; what is left when none is found any more is locked by others. */
  private async pass(work: StepWork, aim: Aim, rows: number): Promise<{ handled: number; locked: boolean }> {
    const pace = new Pace();
    const source = new RowSource(this.context, aim);
    const keyed = await this.context.mayBeUndone(aim);
    let handled = 0;
    while (handled < rows) {
      const options = await source.next(Math.min(pace.size, rows - handled));
      if (!options) return { handled, locked: true };
      const started = performance.now();
      const batch = await this.context.batch(work, aim, { ...options, keyed });
      if (batch === 'locked') return { handled, locked: true };
      pace.took(performance.now() - started, batch.picked);
      source.took(batch.picked);
      handled += batch.done;
      // Picked and still there: a trigger holds on to them, which the next count tells.
      if (batch.picked > 0 && batch.done === 0) return { handled, locked: false };
    }
    return { handled, locked: false };
  }

  /** Whatever a guard has kept from being deleted is named: a cascade would have taken somebody else's rows along. */
  private async nothingStays(work: StepWork, { sql, selection }: Aim): Promise<void> {
    if (!sql.deletes) return;
    const guarded = sql.guarded();
    if (guarded === undefined) return;
    const rows = await this.context.within(async (tx) => {
      await this.context.settle(tx, selection);
      return Number((await tx.asHost((db) => db.query<{ rows: string }>(guarded.sql)))[0]?.rows);
    }, 0);
    if (rows > 0)
      throw reachesOthers(
        work.collection.name,
        shown(sql.table),
        rows,
        guarded.keys.join(', '),
        await this.context.soFar(work.collection.name),
      );
  }
}
