import { type INestApplicationContext, type Type } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Certificates } from '../deletion/certificates.js';
import { Eraser } from '../deletion/eraser.js';
import { Erasures } from '../deletion/erasures.js';
import { ErasureLedger } from '../deletion/ledger.js';
import { planReport, replayReport } from '../deletion/ledger.cli.js';
import { LedgerDigests } from '../deletion/ledger-entry.js';
import { LedgerEraser } from '../deletion/ledger-eraser.js';
import { LedgerReplay } from '../deletion/ledger-replay.js';
import { ResidueSearch } from '../deletion/residue-search.js';
import { Suppressions } from '../deletion/suppressions.js';
import { WorkspaceEraser } from '../deletion/workspace-eraser.js';
import { WorkspaceOwnData } from '../deletion/workspace-own-data.js';
import { ErasingPerson } from '../dsar/erasing-person.js';
import { ErasureRepetition } from '../dsar/erasure-repetition.js';
import { Parts } from '../dsar/parts.js';
import { Requests } from '../dsar/requests.js';
import { WorkspaceMatters } from '../dsar/workspace-purge/matters.js';
import { createApp } from '../http/bootstrap.js';
import { createLog } from '../http/log.js';
import { Signing } from '../keys/signing.js';
import { Outbox } from '../mail/outbox.js';
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

/** The eraser of a service that has been put together. */
export function ledgerEraserOf(app: INestApplicationContext): LedgerEraser {
  const its = <T>(token: { prototype: T }): T => app.get<T>(token as Type<T>, { strict: false });
  return new LedgerEraser({
    database: its(Database),
    erasures: its(Erasures),
    eraser: its(Eraser),
    workspaces: its(WorkspaceEraser),
    certificates: its(Certificates),
    suppressions: its(Suppressions),
    audit: its(AuditLog),
    matter: new ErasureRepetition({
      database: its(Database),
      clock: its(Clock),
      outbox: its(Outbox),
      requests: its(Requests),
      requestParts: its(Parts),
      person: its(ErasingPerson),
      residues: its(ResidueSearch),
      workspace: its(WorkspaceOwnData),
      workspaceMatters: its(WorkspaceMatters),
    }),
  });
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
