import { type Database } from '../../database/database.js';
import { systemTenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { DomainError } from '../../errors.js';
import { type ErasureJob } from '../erasure.js';
import { type ErasureLedger } from './ledger.js';
import { type LedgerDigests, type LedgerEntry } from './entry.js';
import { jobAgain } from './job.js';
import { type Left, LeftRows } from '../left-rows.js';
import { LedgerSearch } from './search.js';
import { type EraserOptions } from '../step/context.js';

/** Does an erasure again; plugged in from above, since a request may have to be told. */
export interface EraserPort {
  /**
   * Runs the job to its end, with its id and its pseudonyms, whether or not the database knows of it. Must be
   * harmless where there is nothing to do, and beside another that does the same.
   */
  repeat(job: ErasureJob, entry: LedgerEntry, options?: EraserOptions): Promise<void>;
}

/** An erasure of the ledger of which rows are there again. */
export interface Recurrence {
  entry: LedgerEntry;
  job: ErasureJob;
  left: Left[];
  /** Not repeated unless named: the key may be somebody else's by now. */
  doubtful: boolean;
}

export interface ReplayPlan {
  /** Entries looked at. */
  read: number;
  /** Objects of the ledger that are no entries of ours. */
  problems: { path: string; problem: string }[];
  /** In the order in which they were erased. */
  recurrences: Recurrence[];
}

export interface Replayed {
  erasureId: string;
  outcome: 'repeated' | 'nothing_left' | 'doubtful' | 'incomplete' | 'failed';
  /** A code, of `failed`. */
  failure?: string;
}

/** After a restore: which erasures a backup has undone, and doing them again. */
export class LedgerReplay {
  private readonly search: LedgerSearch;
  private readonly rows: LeftRows;

  constructor(
    private readonly database: Database,
    private readonly hostMap: HostMap,
    private readonly ledger: ErasureLedger,
    digests: LedgerDigests,
  ) {
    this.search = new LedgerSearch(hostMap, digests);
    this.rows = new LeftRows(database, hostMap);
  }

  /**
   * What came back, read only.
   * @param since when the backup was taken: what was erased before is erased in it too. Without it people who came
   *   back by themselves are listed as well.
   * @throws DomainError `datamap.drift`
   */
  async plan(since?: Date): Promise<ReplayPlan> {
    this.hostMap.assertFits();
    const plan: ReplayPlan = { read: 0, problems: [], recurrences: [] };
    const entries: LedgerEntry[] = [];
    for await (const found of this.ledger.entries(since)) {
      plan.read += 1;
      if (!('entry' in found)) plan.problems.push(found);
      else if (!found.entry.subjects.every(({ kind }) => kind in this.hostMap.map.subjects))
        plan.problems.push({ path: found.path, problem: 'ledger.unknown_kind' });
      else entries.push(found.entry);
    }
    entries.sort((a, b) => Date.parse(a.completedAt) - Date.parse(b.completedAt));
    const everybody = entries.flatMap(({ subjects }) => subjects);
    const own = await this.readingOwn((tx) => this.search.ownValues(tx, everybody));
    const finished = await this.finished(entries);
    await this.reading(async (tx) => {
      const again = await this.search.find(tx, everybody, own);
      for (const entry of entries) {
        const job = jobAgain(entry, (erased) => again.get(erased)?.subject);
        const left = [...(await this.rows.left(tx, job)), ...unknownTo(finished, entry)];
        const doubtful = entry.subjects.some((erased) => again.get(erased)?.doubtful);
        if (left.length > 0) plan.recurrences.push({ entry, job, left, doubtful });
      }
    });
    return plan;
  }

  /**
   * Erases again what came back, one after the other; one that fails does not stop the rest.
   * @param only these erasures, the doubtful among them too
   */
  async *replay(eraser: EraserPort, since: Date, only?: readonly string[]): AsyncGenerator<Replayed> {
    const { recurrences } = await this.plan(since);
    for (const { entry, job, doubtful } of recurrences) {
      const { erasureId } = entry;
      if (only && !only.includes(erasureId)) continue;
      if (doubtful && !only) yield { erasureId, outcome: 'doubtful' };
      // An erasure before this one may have been of the same person.
      else if ((await this.stillLeft(job, entry)).length === 0) yield { erasureId, outcome: 'nothing_left' };
      else yield await this.repeat(eraser, job, entry);
    }
  }

  private async repeat(eraser: EraserPort, job: ErasureJob, entry: LedgerEntry): Promise<Replayed> {
    const { erasureId } = entry;
    try {
      await eraser.repeat(job, entry);
      const left = await this.stillLeft(job, entry);
      return { erasureId, outcome: left.length === 0 ? 'repeated' : 'incomplete' };
    } catch (error) {
      return {
        erasureId,
        outcome: 'failed',
        failure: error instanceof DomainError ? error.code : 'server.error',
      };
    }
  }

  private async stillLeft(job: ErasureJob, entry: LedgerEntry): Promise<Left[]> {
    const unknown = unknownTo(await this.finished([entry]), entry);
    return [...(await this.reading((tx) => this.rows.left(tx, job))), ...unknown];
  }

  /** Matters of which the database knows that they are over. A backup from before brings Habeas's own rows back as well. */
  private async finished(entries: readonly LedgerEntry[]): Promise<Set<string>> {
    const sql =
      'select job_id as id from habeas.erasures where wiped_at is not null and job_id = any ($1::uuid[])';
    const rows = await this.database.asSweep((tx) =>
      tx.query<{ id: string }>(sql, [entries.map(({ jobId }) => jobId)]),
    );
    return new Set(rows.map(({ id }) => id));
  }

  private readingOwn<T>(work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    const tenancy = systemTenancy('', 'erasure-ledger');
    return this.database.within(tenancy, (tx) => tx.asResidueSearch(() => work(tx)), { statementTimeout: 0 });
  }

  private reading<T>(work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    const tenancy = systemTenancy('', 'erasure-ledger');
    return this.database.within(tenancy, (tx) => tx.asHost(() => work(tx)), { statementTimeout: 0 });
  }
}

const unknownTo = (finished: ReadonlySet<string>, { jobId }: LedgerEntry): Left[] =>
  finished.has(jobId) ? [] : [{ collection: 'habeas', rows: 1 }];
