import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { changesOf } from '../datamap/changes.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Collection } from '../datamap/map.js';
import { settingsStatement } from '../datamap/settings.js';
import { DomainError } from '../errors.js';
import { placesOf } from './erasure-places.js';
import { ErasureSql } from './erasure-sql.js';
import { type ErasureJob, keptBy, subjectId } from './erasure.js';
import { type ErasureLedger } from './ledger.js';
import { type Erased, type LedgerDigests, type LedgerEntry } from './ledger-entry.js';
import { type Again, LedgerSearch } from './ledger-search.js';

/** Does an erasure again; plugged in from above, since a request may have to be told. */
export interface EraserPort {
  /**
   * Runs the job to its end, with its id and its pseudonyms, whether or not the database knows of it. Must be
   * harmless where there is nothing to do.
   */
  repeat(job: ErasureJob, entry: LedgerEntry): Promise<void>;
}

/** An erasure of the ledger of which rows are there again. */
export interface Recurrence {
  entry: LedgerEntry;
  job: ErasureJob;
  left: { collection: string; rows: number }[];
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

  constructor(
    private readonly database: Database,
    private readonly hostMap: HostMap,
    private readonly ledger: ErasureLedger,
    digests: LedgerDigests,
  ) {
    this.search = new LedgerSearch(hostMap, digests);
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
        const job = jobOf(entry, again);
        const left = [...(await this.left(tx, job)), ...unknownTo(finished, entry)];
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

  private async stillLeft(job: ErasureJob, entry: LedgerEntry): Promise<Recurrence['left']> {
    const unknown = unknownTo(await this.finished([entry]), entry);
    return [...(await this.reading((tx) => this.left(tx, job))), ...unknown];
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

  /** Rows on which the erasure would still do something. What lies there as it was left is no recurrence. */
  private async left(tx: UnitOfWork, job: ErasureJob): Promise<Recurrence['left']> {
    const { map, catalogue } = this.hostMap.current();
    const left: Recurrence['left'] = [];
    if (job.scope !== 'workspace' && job.subjects.length === 0) return left;
    for (const collection of Object.values(map.collections)) {
      // A shared row may be left alone by others' going long after; none comes back without its person's own rows.
      if (collection.erasure.rule === 'keep' || collection.shared) continue;
      let rows = 0;
      for (const { selection, workspace } of placesOf(job, collection)) {
        if (keptBy(job, collection.name, workspace)) continue;
        const settings = settingsStatement(selection);
        await tx.query(settings.sql, settings.values);
        const sql = new ErasureSql(map, catalogue, job, asChanged(collection), selection, job.subjects[0]);
        const { sql: count, values } = sql.count();
        rows += Number((await tx.one<{ rows: string }>(count, values))?.rows);
      }
      if (rows > 0) left.push({ collection: collection.name, rows });
    }
    return left;
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

const unknownTo = (finished: ReadonlySet<string>, { jobId }: LedgerEntry): Recurrence['left'] =>
  finished.has(jobId) ? [] : [{ collection: 'habeas', rows: 1 }];

/** A tombstone that is emptied is as it should be, so it is looked at as a row that is changed, not as one that goes. */
const asChanged = (collection: Collection): Collection =>
  collection.erasure.rule === 'tombstone'
    ? { ...collection, erasure: { rule: 'pseudonymise', set: changesOf(collection) } }
    : collection;

function jobOf(entry: LedgerEntry, again: ReadonlyMap<Erased, Again>): ErasureJob {
  const { erasureId, tenant, jobId, scope } = entry;
  const pseudonyms: Record<string, string> = {};
  const subjects: ErasureJob['subjects'] = [];
  for (const { key, pseudonym } of entry.workspaces)
    if (pseudonym) pseudonyms[`workspace:${key}`] = pseudonym;
  for (const erased of entry.subjects) {
    const subject = again.get(erased)?.subject;
    if (!subject) continue;
    subjects.push(subject);
    pseudonyms[subjectId(subject)] = erased.pseudonym;
  }
  const workspaces = entry.workspaces.map(({ key }) => key);
  const kept = entry.kept?.map((one) => ({ ...one, ground: 'ledger' }));
  return { id: erasureId, tenant, jobId, scope, subjects, workspaces, pseudonyms, ...(kept && { kept }) };
}
