/** Deletions that people asked for, on a service whose database is put back to what it was before they were done. */
import { expect } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { ledgerEraserOf } from '../../src/app/erasure-ledger.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { replayReport } from '../../src/deletion/ledger/ledger.cli.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { LedgerDigests } from '../../src/deletion/ledger/entry.js';
import { LedgerReplay } from '../../src/deletion/ledger/replay.js';
import { AccessFulfilment } from '../../src/dsar/access/fulfilment.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { Outbox } from '../../src/mail/outbox.js';
import { type ObjectStores } from '../../src/storage/object-store.js';
import { TestDesk } from '../support/desk.js';

const { member } = demoPeople;

export interface Asked {
  id: string;
  path: string;
}

export class LedgerRequests {
  private constructor(readonly desk: TestDesk) {}

  static async open(stores?: (real: ObjectStores) => ObjectStores): Promise<LedgerRequests> {
    return new LedgerRequests(await TestDesk.open({ work: false, ...(stores && { stores }) }));
  }

  /** A package that the member had before, and what is known of them since. */
  async earlierPackage(): Promise<void> {
    const me = await this.desk.as('member');
    const { body } = await me.post('/v1/me/requests', { kind: 'access' });
    await this.desk.app.get(AccessFulfilment).run({ tenant: HOST_TENANT, id: body.id as string });
    await this.deliver();
    expect((await me.get(`/v1/me/requests/${body.id}`)).body.status).toBe('fulfilled');
  }

  async ask(name: 'member' | 'viewer' = 'member'): Promise<Asked> {
    const me = await this.desk.as(name);
    const filed = await me.post('/v1/me/requests', {
      kind: 'deletion',
      coolingOff: 'PT0S',
      waiveAccessLock: true,
    });
    expect(filed.status).toBe(201);
    return { id: filed.body.id as string, path: `/v1/me/requests/${filed.body.id}` };
  }

  async fulfil({ id }: Asked): Promise<void> {
    await this.desk.app.get(DeletionFulfilment).run({ tenant: HOST_TENANT, id });
    await this.deliver();
    await this.desk.sweep();
  }

  async deliver(): Promise<void> {
    const outbox = this.desk.app.get(Outbox);
    for await (const mail of outbox.due()) await outbox.deliver(mail);
  }

  get replay(): LedgerReplay {
    const { app, db } = this.desk;
    return new LedgerReplay(db.database, app.get(HostMap), app.get(ErasureLedger), app.get(LedgerDigests));
  }

  async replayed(): Promise<{ text: string; exitCode: 0 | 1 }> {
    let text = '';
    const exitCode = await replayReport(this.replay, ledgerEraserOf(this.desk.app), {
      since: '2026-11-20T00:00:00Z',
      write: (more) => void (text += more),
    });
    return { text, exitCode };
  }

  async standing({ id }: Asked) {
    const [row] = await this.desk.db.behindTheScenes<{
      status: string;
      outcome: string | null;
      failure: { code: string } | null;
      attempts: number;
    }>('select status, outcome, failure, attempts from habeas.requests where id = $1', [id]);
    return row;
  }

  /** All that an erasure leaves, wherever it is kept. */
  async memory(id: string) {
    const sql = this.desk.db.behindTheScenes.bind(this.desk.db);
    const [user] = await sql<{ email: string }>('select email from atelier.users where id = $1', [
      member.userId,
    ]);
    return {
      user: user?.email,
      suppressions: await sql(
        'select tenant_id, digest, kind, since, erasure_id from habeas.suppressions order by kind, digest',
      ),
      erasures: await sql(
        `select id, job_id, erased_at, certificate, job_sealed is null as wiped from habeas.erasures where job_id = $1`,
        [id],
      ),
      pseudonyms: await sql('select 1 from habeas.pseudonyms where subject_key = $1', [member.userId]),
      packages: await sql(`select status from habeas.packages where status <> 'expired'`),
      mailsTold: (await this.desk.mails()).filter(({ subject }) =>
        /has deleted your data/.test(subject ?? ''),
      ).length,
      host: await this.hostRows(),
    };
  }

  /** Tables in which the member's address still stands. */
  async placesOfAddress(): Promise<string[]> {
    const tables = await this.tables('atelier', 'habeas', 'habeas_jobs');
    const found: string[] = [];
    for (const name of tables) {
      const sql = `select 1 from ${name} as t where t::text ilike '%' || $1 || '%' limit 1`;
      if ((await this.desk.db.behindTheScenes(sql, [member.mail])).length > 0) found.push(name);
    }
    return found;
  }

  private async hostRows(): Promise<Record<string, string>> {
    const sums: Record<string, string> = {};
    for (const name of await this.tables('atelier')) {
      const sql = `select md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as sum from ${name} as t`;
      sums[name] = (await this.desk.db.behindTheScenes<{ sum: string }>(sql))[0]?.sum ?? '';
    }
    return sums;
  }

  private async tables(...schemas: string[]): Promise<string[]> {
    const rows = await this.desk.db.behindTheScenes<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = any ($1) and c.relkind = 'r'`,
      [schemas],
    );
    return rows.map(({ name }) => name);
  }
}
