import { type INestApplicationContext, type Type } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { type Config } from '../config.js';
import { ErasureLedger } from '../deletion/ledger/ledger.js';
import { planReport, replayReport } from '../deletion/ledger/ledger.cli.js';
import { LedgerDigests } from '../deletion/ledger/entry.js';
import { eachByItsOwn, LedgerEraser, PurgeRepeater } from '../deletion/ledger/eraser.js';
import { type EraserPort, LedgerReplay } from '../deletion/ledger/replay.js';
import { createApp } from '../http/bootstrap.js';
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
  withEnvironment(config, async (environment) => {
    // The service's own parts, without its jobs and sweeps: nothing runs but this.
    const app = await createApp(AppModule.with(environment), { config, log: environment.log });
    try {
      return await replayReport(replayOf(environment), ledgerEraserOf(app), options);
    } finally {
      await app.close();
    }
  });

/** The erasers of a service that has been put together. */
export function ledgerEraserOf(app: INestApplicationContext): EraserPort {
  const its = <T>(token: { prototype: T }): T => app.get<T>(token as Type<T>, { strict: false });
  return eachByItsOwn(its(LedgerEraser), its(PurgeRepeater));
}

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
