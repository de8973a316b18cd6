/** What every way of working on a step shares: short transactions in which rows, files and progress go together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database } from '../../database/database.js';
import { type Tenancy } from '../../database/tenancy.js';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { type Collection } from '../../datamap/map.js';
import { shown } from '../../datamap/names.js';
import { type Selection, settingsStatement, type Subject } from '../../datamap/settings.js';
import { failureOf, isOfPostgres, isPassing, rowsLocked, type SoFar } from '../erasure-failure.js';
import { type ErasureFiles } from '../files/erasure-files.js';
import { selectionOf } from '../erasure-places.js';
import { type Batch, type BatchDone, ErasureSql } from './sql.js';
import { type Erasures, type Progress, type Step } from '../erasures.js';
import { type ErasureJob } from '../erasure.js';
import { lockedFirst } from './row-locks.js';
import { type Values } from './statement.js';
import { mayBeUndone } from './undoing.js';
import { type BatchOptions, type Places } from './rows.js';

export interface EraserOptions {
  /** Asked inside every batch's transaction, as the habeas role; throws to stop before the batch (holds, withdrawals). */
  shouldGoOn?: (tx: UnitOfWork) => Promise<void>;
  /** In the transaction of the first batch that cannot be taken back; for the event that tells of it. */
  onIrreversible?: (tx: UnitOfWork) => Promise<void>;
  signal?: AbortSignal;
  /** Milliseconds to wait for rows that somebody else has locked, before `erasure.rows_locked`. Default 90 s. */
  patience?: number;
}

export interface StepWork {
  step: Step;
  collection: Collection;
  /** Its rows were noted before anything went. */
  noted: boolean;
}

export interface StepParts {
  database: Database;
  host: HostMap;
  erasures: Erasures;
  files: ErasureFiles;
  tombstoneDue: () => Date;
  job: ErasureJob;
  tenancy: Tenancy;
  options: EraserOptions;
}

/** What is selected, and the SQL over it. */
export interface Aim {
  sql: ErasureSql;
  selection: Selection;
}

const LOCK_TIMEOUT = '250ms';
const BETWEEN_TRIES = 300;
const PATIENCE = 90_000;

export class StepContext {
  constructor(readonly parts: StepParts) {}

  /** One batch of a selection, with its files and its progress. Where `keyed`, done is only what nothing has undone. */
  batch(work: StepWork, aim: Aim, options: Batch): Promise<BatchDone | 'locked'> {
    return this.attempt(work, async (tx) => {
      await this.settle(tx, aim.selection);
      const batch = await this.runBatch(tx, aim, options);
      await this.parts.files.note(tx, this.parts.job.id, work.step.ordinal, batch.files ?? []);
      const undone = options.keyed ? await this.undone(tx, aim, batch.keys ?? []) : [];
      const kept = { ...batch, done: Math.max(0, batch.done - undone.length) };
      await this.noteProgress(tx, work, kept, batch.done > 0);
      return kept;
    });
  }

  /** Whether the batches of this step have to look at their rows again; rows without a key could not be told apart. */
  mayBeUndone({ sql }: Aim): Promise<boolean> {
    if (sql.rows.key.length === 0) return Promise.resolve(false);
    return this.within((tx) => tx.asHost((db) => mayBeUndone(db, sql.table, sql.deletes)));
  }

  /** Of these keys, of rows that the transaction has done, those whose rows are as they were: by a trigger, say. */
  async undone(tx: UnitOfWork, { sql }: Aim, keys: unknown[], noted = false): Promise<string[]> {
    if (keys.length === 0) return [];
    const { sql: query, values } = sql.undone(keys, noted);
    const rows = await tx.asHost((db) => db.query<{ key: unknown }>(query, values));
    return rows.map(({ key }) => JSON.stringify(key));
  }

  /** The batch alone, in a transaction that does the rest itself. */
  async runBatch(tx: UnitOfWork, { sql }: Aim, options: Batch): Promise<BatchDone> {
    return tx.asHost(async (db) => {
      const statement = sql.batch(await this.locked(db, sql, options));
      const [batch] = await db.query<BatchDone>(statement.sql, statement.values);
      // Deferred keys speak now, while it is known which rows they are about.
      await db.query('set constraints all immediate');
      return batch as BatchDone;
    });
  }

  /** Where its going concerns others, a batch takes the rows that are locked before it; elsewhere it locks them itself. */
  private async locked(db: SqlRunner, { rows, deletes }: ErasureSql, options: Batch) {
    const due = (values: Values) => rows.toDo(values, options);
    const places =
      deletes && (await lockedFirst(db, rows, { rows: due, limit: options.limit, locked: 'skip' }));
    if (!places) return options;
    const { limit: _, ...found } = options;
    return { ...found, places };
  }

  /**
   * Progress, and with the first of it the end of all withdrawal.
   * @param touched whether rows were changed, if in vain: a trigger that sets one column back leaves the others erased
   */
  async noteProgress(tx: UnitOfWork, work: StepWork, progress: Progress, touched = false): Promise<void> {
    const { job, erasures, options } = this.parts;
    const { done = 0, letGo = 0 } = progress;
    if (done + letGo === 0 && !touched) return;
    await erasures.noteProgress(tx, job.id, work.step.ordinal, progress);
    if (await erasures.noteIrreversible(tx, job.id)) await options.onIrreversible?.(tx);
    tx.afterCommit(() => (work.step.done += done));
  }

  /** One transaction; locks and passing troubles answer 'locked', a constraint is named. */
  async attempt<T>(work: StepWork, run: (tx: UnitOfWork) => Promise<T>): Promise<T | 'locked'> {
    this.parts.options.signal?.throwIfAborted();
    try {
      return await this.within(async (tx) => {
        await this.parts.options.shouldGoOn?.(tx);
        await tx.query(`select set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
        return run(tx);
      });
    } catch (error) {
      if (isPassing(error)) return 'locked';
      if (!isOfPostgres(error)) throw error;
      const { name, table } = work.collection;
      // Where Postgres itself is going down it cannot be asked any more.
      const far = await this.soFar(name).catch(() => undefined);
      throw failureOf(error, name, shown(table), far);
    }
  }

  /** How far the whole erasure is, for the message of what stops it at this collection. */
  soFar(collection: string): Promise<SoFar> {
    const { erasures, job } = this.parts;
    return this.within((tx) => erasures.soFar(tx, job.id, collection));
  }

  waiting(): Waiting {
    return new Waiting(this.parts.options.patience ?? PATIENCE);
  }

  /** Waits a little for others' locks. @throws DomainError `erasure.rows_locked` when patience is at its end */
  async waitOrThrow(waiting: Waiting, work: StepWork, { sql }: Aim, rows: number): Promise<void> {
    if (waiting.isOver()) throw rowsLocked(work.collection.name, shown(sql.table), rows);
    await sleep(BETWEEN_TRIES);
  }

  /** How many rows are still to be done. */
  count({ sql, selection }: Aim): Promise<number> {
    const statement = sql.count();
    return this.within(async (tx) => {
      await this.settle(tx, selection);
      const [row] = await tx.asHost((db) => db.query<{ rows: string }>(statement.sql, statement.values));
      return Number(row?.rows);
    }, 0);
  }

  /** Where the rows lie that are still to be done, at most so many. */
  places({ sql, selection }: Aim, most: number, options: BatchOptions): Promise<Places[]> {
    const statement = sql.places(most, options);
    return this.within(async (tx) => {
      await this.settle(tx, selection);
      return tx.asHost((db) => db.query<Places>(statement.sql, statement.values));
    }, 0);
  }

  /** @param subject whose pseudonym is written, and whose rows are selected unless those of everybody are wanted */
  aim({ collection, step }: StepWork, subject?: Subject, whose?: 'everybody'): Aim {
    const { job, host } = this.parts;
    const people = subject && !whose ? { ...job, subjects: [subject] } : job;
    const selection = selectionOf(people, collection, step.workspace);
    // A subject of a kind that this collection does not know has nothing here.
    const nobody: Selection = {
      subjects: [],
      ...(step.workspace !== undefined && { workspaces: [step.workspace] }),
    };
    const used = selection ?? nobody;
    return { selection: used, sql: new ErasureSql(host.current(), job, collection, used, subject) };
  }

  /** Puts the selection's settings in place, until the transaction ends. */
  async settle(tx: UnitOfWork, selection: Selection): Promise<void> {
    const settings = settingsStatement(selection);
    await tx.query(settings.sql, settings.values);
  }

  /** One transaction of this erasure. */
  within<T>(work: (tx: UnitOfWork) => Promise<T>, statementTimeout = 60_000): Promise<T> {
    return this.parts.database.within(this.parts.tenancy, work, { statementTimeout });
  }
}

/** Patience with others' locks, from the first time that nothing could be done. */
export class Waiting {
  private since: number | undefined;

  constructor(private readonly patience: number) {}

  isOver(): boolean {
    this.since ??= performance.now();
    return performance.now() - this.since > this.patience;
  }
}
