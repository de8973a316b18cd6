/** One step of an erasure, batch by batch: each a short transaction in which rows, files and progress go together. */
import { type Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Collection } from '../datamap/map.js';
import { type HostMap } from '../datamap/host-map.js';
import { shown } from '../datamap/names.js';
import { type Selection, settingsStatement, type Subject } from '../datamap/settings.js';
import { DomainError } from '../errors.js';
import { failureOf, isPassing, reachesOthers, rowsCameBack, rowsLocked } from './erasure-failure.js';
import { type ErasureFiles } from './erasure-files.js';
import { pseudonymised } from './erasure-plan.js';
import { selectionOf } from './erasure-places.js';
import { type BatchDone, type BatchOptions, ErasureSql, Values } from './erasure-sql.js';
import { type Erasures, type Step } from './erasures.js';
import { type EraserOptions } from './eraser.js';
import { type ErasureJob } from './erasure.js';
import { Pace } from './pace.js';

export interface StepWork {
  step: Step;
  collection: Collection;
  /** Its rows were noted before anything went. */
  noted: boolean;
}

interface StepRunParts {
  database: Database;
  host: HostMap;
  erasures: Erasures;
  files: ErasureFiles;
  tombstoneDue: () => Date;
  job: ErasureJob;
  tenancy: Tenancy;
  options: EraserOptions;
  sleep: (milliseconds: number) => Promise<unknown>;
}

/** Rows that keep coming back after so many rounds are put back by something. */
const PASSES = 5;
const LOCK_TIMEOUT = '250ms';
const NOTED_AT_ONCE = 1000;
const BETWEEN_TRIES = 300;

/** What is selected, and the SQL over it. */
interface Aim {
  sql: ErasureSql;
  selection: Selection;
}

export class StepRun {
  private readonly patience: number;

  constructor(private readonly parts: StepRunParts) {
    this.patience = parts.options.patience ?? 90_000;
  }

  /** Runs one step, or the steps of one circle of foreign keys, to the end. */
  async run(works: StepWork[]): Promise<void> {
    const [work] = works;
    if (!work) return;
    const { collection, step } = work;
    if (works.length > 1) await this.circle(works);
    else if (collection.erasure.rule === 'keep') await this.keep(work);
    else if (work.noted) await this.notedRows(work);
    else
      for (const subject of pseudonymised(this.parts.job, collection)) await this.selectedRows(work, subject);
    await this.within((tx) => this.parts.erasures.noteFinished(tx, this.parts.job.id, step.ordinal));
  }

  /** Notes the keys of all rows of a step, read through a cursor: memory stays flat. */
  async gather(work: StepWork): Promise<void> {
    const { job } = this.parts;
    const { sql, selection } = this.aim(work);
    if (sql.key.length === 0)
      throw new DomainError(
        'datamap.drift',
        `Table ${shown(sql.table)} has no key by which rows could be noted.`,
      );
    await this.within(async (tx) => {
      await this.settle(tx, selection);
      await tx.asHost((db) => db.query(`declare noted no scroll cursor for ${sql.keys()}`));
      for (;;) {
        const rows = await tx.asHost((db) => db.query<{ key: unknown }>(`fetch ${NOTED_AT_ONCE} from noted`));
        if (rows.length === 0) return;
        await tx.query(
          `insert into habeas.erasure_rows (tenant_id, erasure_id, ordinal, key)
           select $1, $2, $3, k from jsonb_array_elements($4::jsonb) as k on conflict do nothing`,
          [tx.tenant, job.id, work.step.ordinal, JSON.stringify(rows.map(({ key }) => key))],
        );
      }
    }, 0);
  }

  private async keep(work: StepWork): Promise<void> {
    const { erasures, job } = this.parts;
    const kept = await this.count(this.aim(work));
    await this.within((tx) => erasures.noteFinished(tx, job.id, work.step.ordinal, kept));
  }

  /** Rows that the selection finds until there are none. */
  private async selectedRows(work: StepWork, subject: Subject | undefined): Promise<void> {
    const aim = this.aim(work, subject);
    const waiting = new Waiting(this.patience);
    for (let pass = 1; ;) {
      const rows = await this.count(aim);
      if (rows === 0) break;
      if (pass > PASSES) throw rowsCameBack(work.collection.name, shown(aim.sql.table), rows, work.step.done);
      const { handled, locked } = await this.pass(work, aim, rows);
      if (locked && handled === 0) await this.waitOrThrow(waiting, work, aim, rows);
      else pass += 1;
    }
    await this.nothingStays(work, aim);
  }

  /** Up to `rows` rows in batches; a batch that finds none leaves what others have locked. */
  private async pass(work: StepWork, aim: Aim, rows: number): Promise<{ handled: number; locked: boolean }> {
    const pace = new Pace();
    let handled = 0;
    let leavesOnly = aim.sql.deletes && aim.sql.isTree;
    while (handled < rows) {
      const size = Math.min(pace.size, rows - handled);
      const options = leavesOnly ? { limit: size, leavesOnly } : aim.sql.isTree ? {} : { limit: size };
      const started = performance.now();
      const batch = await this.batch(work, aim, options);
      if (batch === 'locked') {
        pace.stumbled();
        return { handled, locked: true };
      }
      pace.took(performance.now() - started, batch.picked);
      handled += batch.done;
      // Picked and still there: a trigger holds on to them, which the next count tells.
      if (batch.picked > 0 && batch.done === 0) return { handled, locked: false };
      if (batch.picked > 0) continue;
      // No leaf is left, but rows are: they refer to each other in a circle, so they go in one statement.
      if (!leavesOnly) return { handled, locked: true };
      leavesOnly = false;
    }
    return { handled, locked: false };
  }

  private async notedRows(work: StepWork): Promise<void> {
    const waiting = new Waiting(this.patience);
    const pace = new Pace();
    for (let refused = 0; ;) {
      const started = performance.now();
      const round = await this.notedBatch(work, pace.size);
      if (round === undefined) return;
      if (round !== 'locked' && round.refused && ++refused > PASSES)
        throw rowsCameBack(work.collection.name, shown(work.collection.table), round.left, work.step.done);
      if (round === 'locked' || round.settled === 0) {
        pace.stumbled();
        await this.waitOrThrow(waiting, work, this.aim(work), round === 'locked' ? pace.size : round.left);
      } else pace.took(performance.now() - started, round.settled);
    }
  }

  /** One page of noted rows: erased, or not there any more, or of others (then they stay); what is locked stays noted. */
  private async notedBatch(
    work: StepWork,
    size: number,
  ): Promise<{ settled: number; left: number; refused: boolean } | 'locked' | undefined> {
    const { job, files } = this.parts;
    const { ordinal } = work.step;
    // Of several people each row gets the pseudonym of one; noted rows do not tell whose they are, and need not.
    const aim = this.aim(work, pseudonymised(job, work.collection)[0], 'everybody');
    return this.attempt(work, async (tx) => {
      const noted = await tx.query<{ key: unknown }>(
        'select key from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 order by key limit $3 for update skip locked',
        [job.id, ordinal, size],
      );
      if (noted.length === 0) return (await this.isNoted(tx, ordinal)) ? 'locked' : undefined;
      const keys = noted.map(({ key }) => key);
      await this.settle(tx, aim.selection);
      const batch = await this.runBatch(tx, aim, { keys });
      const still = aim.sql.stillThere(keys);
      const left = await tx.asHost((db) => db.query<{ key: unknown }>(still.sql, still.values));
      const erased = new Set((batch.keys ?? []).map((key) => JSON.stringify(key)));
      const locked = new Set(left.map(({ key }) => JSON.stringify(key)).filter((key) => !erased.has(key)));
      await files.note(tx, job.id, ordinal, batch.files ?? []);
      if (work.collection.erasure.rule === 'tombstone') await this.bury(tx, work, batch.keys ?? []);
      const settled = keys.filter((key) => !locked.has(JSON.stringify(key)));
      await tx.query(
        'delete from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 and key in (select jsonb_array_elements($3::jsonb))',
        [job.id, ordinal, JSON.stringify(settled)],
      );
      await this.noteProgress(tx, work, batch.done);
      return { settled: settled.length, left: locked.size, refused: batch.picked > 0 && batch.done === 0 };
    });
  }

  /** Whether another run of this erasure is at the rows that are left. */
  private async isNoted(tx: UnitOfWork, ordinal: number): Promise<boolean> {
    const one = 'select 1 from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 limit 1';
    return (await tx.one(one, [this.parts.job.id, ordinal])) !== undefined;
  }

  private async bury(tx: UnitOfWork, { step, collection }: StepWork, keys: string[][]): Promise<void> {
    const due = this.parts.tombstoneDue();
    await tx.query(
      `insert into habeas.tombstones (tenant_id, erasure_id, ordinal, collection, key, due_at, next_attempt_at)
       select $1, $2, $3, $4, k, $5, $5 from jsonb_array_elements($6::jsonb) as k on conflict do nothing`,
      [tx.tenant, this.parts.job.id, step.ordinal, collection.name, due, JSON.stringify(keys)],
    );
  }

  /** All rows of collections that refer to each other, in one statement: at its end no key is left hanging. */
  private async circle(works: StepWork[]): Promise<void> {
    const { job, erasures, files } = this.parts;
    const aims = works.map((work) => this.aim(work));
    const waiting = new Waiting(this.patience);
    const [first] = works as [StepWork];
    const [aim] = aims as [Aim];
    for (;;) {
      const done = await this.attempt(first, async (tx) => {
        await this.settle(tx, aim.selection);
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
          await this.noteProgress(tx, work, gone);
        }
        for (const { step } of works) await erasures.noteFinished(tx, job.id, step.ordinal);
        return true;
      });
      if (done !== 'locked') return;
      await this.waitOrThrow(waiting, first, aim, await this.count(aim));
    }
  }

  private batch(work: StepWork, aim: Aim, options: BatchOptions): Promise<BatchDone | 'locked'> {
    return this.attempt(work, async (tx) => {
      await this.settle(tx, aim.selection);
      const batch = await this.runBatch(tx, aim, options);
      await this.parts.files.note(tx, this.parts.job.id, work.step.ordinal, batch.files ?? []);
      await this.noteProgress(tx, work, batch.done);
      return batch;
    });
  }

  private async runBatch(tx: UnitOfWork, { sql }: Aim, options: BatchOptions): Promise<BatchDone> {
    const statement = sql.batch(options);
    return tx.asHost(async (db) => {
      const [batch] = await db.query<BatchDone>(statement.sql, statement.values);
      // Deferred keys speak now, while it is known which rows they are about.
      await db.query('set constraints all immediate');
      return batch as BatchDone;
    });
  }

  private async noteProgress(tx: UnitOfWork, work: StepWork, done: number): Promise<void> {
    const { job, erasures, options } = this.parts;
    if (done === 0) return;
    await erasures.noteProgress(tx, job.id, work.step.ordinal, done);
    if (await erasures.noteIrreversible(tx, job.id)) await options.onIrreversible?.(tx);
    tx.afterCommit(() => (work.step.done += done));
  }

  /** One transaction; locks and passing troubles answer 'locked', a constraint is named. */
  private async attempt<T>(work: StepWork, run: (tx: UnitOfWork) => Promise<T>): Promise<T | 'locked'> {
    this.parts.options.signal?.throwIfAborted();
    try {
      return await this.within(async (tx) => {
        await this.parts.options.shouldGoOn?.(tx);
        await tx.query(`select set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
        return run(tx);
      });
    } catch (error) {
      if (isPassing(error)) return 'locked';
      throw failureOf(error, work.collection.name, shown(work.collection.table), work.step.done);
    }
  }

  /** Whatever a guard has kept from being deleted is named: a cascade would have taken somebody else's rows along. */
  private async nothingStays(work: StepWork, { sql, selection }: Aim): Promise<void> {
    if (!sql.deletes) return;
    const guarded = sql.guarded();
    if (guarded === undefined) return;
    const rows = await this.within(async (tx) => {
      await this.settle(tx, selection);
      return Number((await tx.asHost((db) => db.query<{ rows: string }>(guarded.sql)))[0]?.rows);
    }, 0);
    if (rows > 0)
      throw reachesOthers(
        work.collection.name,
        shown(sql.table),
        rows,
        guarded.keys.join(', '),
        work.step.done,
      );
  }

  private async waitOrThrow(waiting: Waiting, work: StepWork, { sql }: Aim, rows: number): Promise<void> {
    if (waiting.isOver()) throw rowsLocked(work.collection.name, shown(sql.table), rows);
    await this.parts.sleep(BETWEEN_TRIES);
  }

  private count({ sql, selection }: Aim): Promise<number> {
    const statement = sql.count();
    return this.within(async (tx) => {
      await this.settle(tx, selection);
      const [row] = await tx.asHost((db) => db.query<{ rows: string }>(statement.sql, statement.values));
      return Number(row?.rows);
    }, 0);
  }

  /** @param subject whose pseudonym is written, and whose rows are selected unless those of everybody are wanted */
  private aim({ collection, step }: StepWork, subject?: Subject, whose?: 'everybody'): Aim {
    const { map, catalogue } = this.parts.host.current();
    const { job } = this.parts;
    const people = subject && !whose ? { ...job, subjects: [subject] } : job;
    const selection = selectionOf(people, collection, step.workspace);
    // A subject of a kind that this collection does not know has nothing here.
    const nobody: Selection = {
      subjects: [],
      ...(step.workspace !== undefined && { workspaces: [step.workspace] }),
    };
    const used = selection ?? nobody;
    return { selection: used, sql: new ErasureSql(map, catalogue, job, collection, used, subject) };
  }

  private async settle(tx: UnitOfWork, selection: Selection): Promise<void> {
    const settings = settingsStatement(selection);
    await tx.query(settings.sql, settings.values);
  }

  private within<T>(work: (tx: UnitOfWork) => Promise<T>, statementTimeout = 60_000): Promise<T> {
    return this.parts.database.within(this.parts.tenancy, work, { statementTimeout });
  }
}

/** Patience with others' locks, from the first time that nothing could be done. */
class Waiting {
  private since: number | undefined;

  constructor(private readonly patience: number) {}

  isOver(): boolean {
    this.since ??= performance.now();
    return performance.now() - this.since > this.patience;
  }
}
