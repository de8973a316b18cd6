import { AuditLog } from '../../src/audit/events.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { ErasureLedger } from '../../src/deletion/ledger.js';
import { LedgerDigests, type LedgerEntry, ledgerEntry } from '../../src/deletion/ledger-entry.js';
import { LedgerEraser } from '../../src/deletion/ledger-eraser.js';
import { LedgerReplay } from '../../src/deletion/ledger-replay.js';
import { Suppressions } from '../../src/deletion/suppressions.js';
import { Sealing } from '../../src/keys/sealing.js';
import { Signing } from '../../src/keys/signing.js';
import { type TestDatabase } from '../support/database.js';
import { type Situation } from './eraser-situation.js';

const keysOfTests = { sealing: new Sealing(Buffer.alloc(32, 7)), signing: new Signing(Buffer.alloc(32, 9)) };

/** A ledger beside an eraser; several databases may have the same one. */
export class LedgerSituation {
  readonly ledger: ErasureLedger;
  readonly replay: LedgerReplay;
  readonly eraser: LedgerEraser;
  private readonly digests: LedgerDigests;

  constructor(
    readonly situation: Situation,
    { sealing, signing } = keysOfTests,
  ) {
    const digests = (this.digests = new LedgerDigests(sealing));
    const { host: hostMap, plans, erasures, eraser, stores } = situation;
    const { database } = situation.db;
    const audit = new AuditLog();
    this.ledger = new ErasureLedger(stores, 'dsar-exports', signing);
    this.replay = new LedgerReplay(database, hostMap, this.ledger, digests);
    const suppressions = new Suppressions(database, sealing, audit, hostMap);
    this.eraser = new LedgerEraser({ database, hostMap, plans, erasures, eraser, suppressions, audit });
  }

  enter(job: ErasureJob, completedAt: Date): Promise<LedgerEntry> {
    return this.ledger.write(
      ledgerEntry(job, { completedAt, hostMap: this.situation.host, digests: this.digests }),
    );
  }
}

/** Copies a database as it is now, as a backup would; connections to it are cut and come back by themselves. */
export async function backup(db: TestDatabase): Promise<string> {
  const name = new URL(db.ownerUrl).pathname.slice(1);
  const elsewhere = new URL(db.ownerUrl);
  elsewhere.pathname = '/habeas';
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: elsewhere.href });
  await client.connect();
  try {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    await client.query(`create database ${name}_backup template ${name}`);
  } finally {
    await client.end();
  }
  return `${name}_backup`;
}
