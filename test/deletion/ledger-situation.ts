import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { AuditLog } from '../../src/audit/events.js';
import { readConfig } from '../../src/config.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Certificates } from '../../src/deletion/certificate/certificates.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { LedgerDigests, type LedgerEntry, ledgerEntry } from '../../src/deletion/ledger/entry.js';
import { eachByItsOwn, LedgerEraser, PurgeRepeater } from '../../src/deletion/ledger/eraser.js';
import { type EraserPort, LedgerReplay } from '../../src/deletion/ledger/replay.js';
import { Suppressions } from '../../src/deletion/suppressions/suppressions.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { Sealing } from '../../src/keys/sealing.js';
import { Signing } from '../../src/keys/signing.js';
import { type TestDatabase } from '../support/database.js';
import { type Situation } from './eraser-situation.js';

const keysOfTests = { sealing: new Sealing(Buffer.alloc(32, 7)), signing: new Signing(Buffer.alloc(32, 9)) };

/** A ledger beside an eraser; several databases may have the same one. */
export class LedgerSituation {
  readonly ledger: ErasureLedger;
  readonly replay: LedgerReplay;
  readonly eraser: EraserPort;
  private readonly digests: LedgerDigests;
  private readonly suppressions: Suppressions;

  constructor(
    readonly situation: Situation,
    { sealing, signing } = keysOfTests,
  ) {
    const digests = (this.digests = new LedgerDigests(sealing));
    const { host: hostMap, erasures, eraser, stores, files, clock } = situation;
    const { database } = situation.db;
    const audit = new AuditLog();
    this.ledger = new ErasureLedger(stores, 'dsar-exports', signing);
    this.replay = new LedgerReplay(database, hostMap, this.ledger, digests);
    const suppressions = (this.suppressions = new Suppressions(database, sealing, audit, hostMap));
    const config = readConfig({ HABEAS_HOME: '.habeas' });
    const certificates = new Certificates(config, signing, erasures, stores);
    const tombstoneDue = () => clock.now();
    const workspaces = new WorkspaceEraser({ database, host: hostMap, erasures, files, tombstoneDue });
    const nothing = () => Promise.resolve();
    // No request stands behind these erasures: test/deletion/ledger-requests.deep.test.ts has those that have one.
    const matter = { assertNotHeld: nothing, takeUp: nothing, forget: nothing, close: nothing };
    const parts = { database, erasures, certificates, suppressions, audit, matter };
    this.eraser = eachByItsOwn(
      new LedgerEraser({ ...parts, eraser }),
      new PurgeRepeater({ ...parts, eraser: workspaces }),
    );
  }

  /** Ends an erasure as the service does: it is in the ledger, and the database knows that it is over. */
  async enter(job: ErasureJob, completedAt: Date): Promise<LedgerEntry> {
    const { host: hostMap, db, erasures } = this.situation;
    const entry = await this.ledger.write(
      ledgerEntry(job, {
        ...{ completedAt, hostMap, digests: this.digests },
        suppressions: this.suppressions.digestsOf(job.tenant, job.subjects),
      }),
    );
    await db.database.within(systemTenancy(job.tenant, 'test'), (tx) => erasures.wipe(tx, job.id));
    return entry;
  }
}

/** Copies a database as it is now, as a backup would; connections to it are cut and come back by themselves. */
export async function backup(db: TestDatabase): Promise<string> {
  const name = nameOf(db);
  const saved = `${name}_backup_${randomBytes(3).toString('hex')}`;
  await elsewhere(db, [cut(name), `create database ${saved} template ${name}`]);
  return saved;
}

/** Puts a backup in the place of the database: all that was written since is gone. */
export const restore = (db: TestDatabase, saved: string): Promise<void> =>
  elsewhere(db, [
    cut(nameOf(db)),
    `drop database ${nameOf(db)} with (force)`,
    `create database ${nameOf(db)} template ${saved}`,
  ]);

export const dropBackup = (db: TestDatabase, saved: string): Promise<void> =>
  elsewhere(db, [`drop database ${saved} with (force)`]);

const nameOf = ({ ownerUrl }: TestDatabase): string => new URL(ownerUrl).pathname.slice(1);
const cut = (name: string): string =>
  `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;

async function elsewhere({ ownerUrl }: TestDatabase, statements: string[]): Promise<void> {
  const url = new URL(ownerUrl);
  url.pathname = '/habeas';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}
