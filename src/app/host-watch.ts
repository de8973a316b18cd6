import { type Logger } from 'pino';
import { type Database } from '../database/database.js';
import { checkDataMap, type CheckResult } from '../datamap/check.js';
import { unasked } from '../datamap/check-rows.js';
import { checkSignIn } from '../datamap/check-sign-in.js';
import { driftBetween, type Snapshot } from '../datamap/drift.js';
import { HostMap } from '../datamap/host-map.js';
import { type DataMap } from '../datamap/map.js';

/**
 * Holds the data map against the live database, at the start and from then on. What does not fit makes building
 * and erasing wait; filing, the clock and the desk go on.
 */
export class HostWatch {
  private told = '';

  private constructor(
    private readonly database: Database,
    private readonly log: Logger,
    readonly hostMap: HostMap,
    private fitting: Snapshot,
  ) {}

  static async open(database: Database, map: DataMap, log: Logger): Promise<HostWatch> {
    const result = await check(database, map);
    const watch = new HostWatch(database, log, new HostMap(map, result.catalogue), result.snapshot);
    // Louder than the others: whoever meets it is told only that they are unknown.
    for (const { code, where, message } of checkSignIn(map))
      log.warn({ code, where }, `data map: ${message}`);
    for (const { code, where, message } of result.warnings) log.info({ code, where }, `data map: ${message}`);
    watch.take(result);
    return watch;
  }

  /** Looks at the database anew. */
  async look(): Promise<void> {
    this.take(await check(this.database, this.hostMap.map));
  }

  private take({ errors, snapshot, catalogue }: CheckResult): void {
    const changes = driftBetween(this.fitting, snapshot);
    // A change that the map covers is no drift: what is built from now on is built with the new catalogue.
    const problems =
      errors.length > 0 ? [...changes, ...errors.map(({ where, message }) => `${where}: ${message}`)] : [];
    if (errors.length === 0) this.fitting = snapshot;
    this.hostMap.heldAgainst(catalogue, problems);
    this.tell(problems, changes);
  }

  /** Once per change: a line a minute would hide everything else. */
  private tell(problems: string[], changes: string[]): void {
    const now = JSON.stringify(problems);
    if (now === this.told) return;
    const first = this.told === '';
    this.told = now;
    for (const problem of problems) this.log.error({ code: 'datamap.drift' }, problem);
    if (problems.length > 0)
      this.log.error(
        { code: 'datamap.drift' },
        'The data map does not fit the database: packages and erasures wait. See npx habeas datamap check.',
      );
    else if (!first) this.log.warn({ changes }, 'The data map fits the database again.');
  }
}

/** As the role that reads host tables, so that the check meets what a package would meet. */
const check = (database: Database, map: DataMap): Promise<CheckResult> =>
  database.asHost((host) => checkDataMap(host, map, unasked));
