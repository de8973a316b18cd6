import { AuditLog } from '../audit/events.js';
import { type Config } from '../config.js';
import { Eraser } from '../deletion/eraser.js';
import { ErasureFiles } from '../deletion/erasure-files.js';
import { ErasurePlans } from '../deletion/erasure-plan.js';
import { Erasures } from '../deletion/erasures.js';
import { ErasureLedger } from '../deletion/ledger.js';
import { planReport, replayReport } from '../deletion/ledger.cli.js';
import { LedgerDigests } from '../deletion/ledger-entry.js';
import { LedgerEraser } from '../deletion/ledger-eraser.js';
import { LedgerReplay } from '../deletion/ledger-replay.js';
import { Suppressions } from '../deletion/suppressions.js';
import { createLog } from '../http/log.js';
import { Signing } from '../keys/signing.js';
import { type Environment, openEnvironment } from './environment.js';
import { layFoundation } from './foundation.js';

/** `erasures plan`: which erasures a restored backup has undone. */
export const planErasures = (config: Config, since?: string) =>
  withEnvironment(config, (environment) => planReport(replayOf(environment), since));

/** `erasures replay`: does them again; what it does is told line by line, since it may take long. */
export const replayErasures = (
  config: Config,
  options: { since: string; only?: string[]; write: (text: string) => void },
): Promise<0 | 1> =>
  withEnvironment(config, (environment) =>
    replayReport(replayOf(environment), eraserOf(environment), options),
  );

async function withEnvironment<T>(
  config: Config,
  work: (environment: Environment) => Promise<T>,
): Promise<T> {
  // What the command says stands on stdout alone.
  const log = createLog({ ...config, logLevel: 'warn' }, process.stderr);
  const environment = await openEnvironment(layFoundation(config, log));
  try {
    return await work(environment);
  } finally {
    await environment.close();
  }
}

function replayOf({ config, database, stores, sealing, watch }: Environment): LedgerReplay {
  const ledger = new ErasureLedger(stores, config.storage.exportBucket, Signing.of(config));
  return new LedgerReplay(database, watch.hostMap, ledger, new LedgerDigests(sealing));
}

function eraserOf({
  config,
  database,
  stores,
  sealing,
  clock,
  watch: { hostMap },
}: Environment): LedgerEraser {
  const audit = new AuditLog();
  const erasures = new Erasures(sealing, clock);
  const files = new ErasureFiles(database, hostMap, stores);
  const tombstoneDue = () => new Date(clock.now().getTime() + config.backupHorizon.toMillis());
  const suppressions = new Suppressions(database, sealing, audit, hostMap);
  const plans = new ErasurePlans(hostMap);
  const eraser = new Eraser({ database, host: hostMap, plans, erasures, files, tombstoneDue });
  return new LedgerEraser({ database, hostMap, plans, erasures, eraser, suppressions, audit });
}
