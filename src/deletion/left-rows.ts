import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { changesOf } from '../datamap/changes.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Collection } from '../datamap/map.js';
import { inPurges } from '../datamap/purge-map.js';
import { settingsStatement } from '../datamap/settings.js';
import { DomainError } from '../errors.js';
import { placesOf } from './erasure-places.js';
import { ErasureSql } from './step/sql.js';
import { type ErasureJob, keptBy } from './erasure.js';
import { reopenSteps } from './erasures.js';

export interface Left {
  collection: string;
  rows: number;
}

/** Rows of the host on which an erasure would still do something, whether it has run or not. */
export class LeftRows {
  constructor(
    private readonly database: Database,
    private readonly hostMap: HostMap,
  ) {}

  /**
   * Holds an erasure that has run against what is there now. Rows may have been written into collections that were
   * done already, by a trigger or by the person, and under a key that is a pseudonym no search would find them.
   * Their steps are open again then, so that the next attempt takes them.
   * @param among only these collections
   * @throws DomainError `erasure.rows_came_back`, to be tried again
   */
  async noneCameBack(job: ErasureJob, among?: readonly string[]): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'eraser');
    const all = await this.database.within(
      tenancy,
      (tx) => tx.asHost(() => this.left(tx, job, job.scope === 'workspace')),
      {
        statementTimeout: 0,
      },
    );
    const left = all.filter(({ collection }) => among?.includes(collection) ?? true);
    if (left.length === 0) return;
    await this.database.within(tenancy, (tx) =>
      reopenSteps(
        tx,
        job.id,
        left.map(({ collection }) => collection),
      ),
    );
    const places = left.map(({ collection, rows }) => `${collection} (${rows})`).join(', ');
    throw new DomainError(
      'erasure.rows_came_back',
      `Rows were written again where they had been erased: ${places}. ${whatToDo(job)}`,
    );
  }

  /**
   * Counted in the host's role. What lies there as an erasure leaves it does not count.
   * @param shared whether shared rows that nobody else has any more are looked for as well
   */
  async left(tx: UnitOfWork, job: ErasureJob, shared = false): Promise<Left[]> {
    const { map: own, catalogue } = this.hostMap.current();
    const map = job.scope === 'workspace' ? inPurges(own, catalogue) : own;
    const left: Left[] = [];
    if (job.scope !== 'workspace' && job.subjects.length === 0) return left;
    for (const collection of Object.values(map.collections)) {
      // A shared row may be left alone by others' going long after; none comes back without its person's own rows.
      if (collection.erasure.rule === 'keep' || (collection.shared && !shared)) continue;
      let rows = 0;
      for (const { selection, workspace } of placesOf(job, collection)) {
        if (keptBy(job, collection.name, workspace)) continue;
        const settings = settingsStatement(selection);
        await tx.query(settings.sql, settings.values);
        const sql = new ErasureSql(
          { map, catalogue },
          job,
          asChanged(collection),
          selection,
          job.subjects[0],
        );
        const { sql: count, values } = sql.count();
        rows += Number((await tx.one<{ rows: string }>(count, values))?.rows);
      }
      if (rows > 0) left.push({ collection: collection.name, rows });
    }
    return left;
  }
}

/** What helps against rows that come back while a workspace is purged. */
export const READ_ONLY =
  'Make the product read-only for this workspace, and look for triggers that write: then it is tried again, and ends.';

const whatToDo = ({ scope }: ErasureJob): string =>
  scope === 'workspace' ? READ_ONLY : 'A trigger, or somebody at work?';

/** A tombstone that is emptied is as it should be, so it is looked at as a row that is changed, not as one that goes. */
const asChanged = (collection: Collection): Collection =>
  collection.erasure.rule === 'tombstone'
    ? { ...collection, erasure: { rule: 'pseudonymise', set: changesOf(collection) } }
    : collection;
