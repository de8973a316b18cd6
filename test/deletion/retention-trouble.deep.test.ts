import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { AuditLog } from '../../src/audit/events.js';
import { Clock } from '../../src/clock.js';
import { type Database } from '../../src/database/database.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { ErasureFiles } from '../../src/deletion/files/erasure-files.js';
import { OPEN_ACCESS, type OpenAccess } from '../../src/deletion/open-access.js';
import { RetentionFiles } from '../../src/deletion/retention/files.js';
import { RetentionLog } from '../../src/deletion/retention/audit-log.js';
import { RetentionRun } from '../../src/deletion/retention/run.js';
import { OBJECT_STORES, type ObjectStores } from '../../src/storage/object-store.js';
import { TestDesk } from '../support/desk.js';
import { RetentionSituation } from './retention-situation.js';

const { acme } = workspaceIds;
const { member } = demoPeople;
const DAY = 86_400_000;
const HOUR = 3_600_000;

describe('a retention in trouble', () => {
  let desk: TestDesk;
  let situation: RetentionSituation;
  let limit: Date;
  beforeEach(async () => {
    desk = await TestDesk.open({ work: false });
    situation = new RetentionSituation(desk);
    await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`);
    await situation.keep(acme, 'messages', 'P30D');
    limit = new Date(desk.clock.now().getTime() - 30 * DAY);
  });
  afterEach(() => desk.close());

  const due = () =>
    situation.count(`atelier.messages where workspace_id = '${acme}' and sent_at <= $1`, [limit]);
  const someDue = async () => {
    const [row] = await situation.sql<{ id: string }>(
      `select id::text from atelier.messages where workspace_id = $1 and sent_at <= $2 order by id offset 3 limit 1`,
      [acme, limit],
    );
    return row?.id ?? '';
  };
  /** Messages of the member's, long over. */
  const write = (count: number) =>
    situation.sql(
      `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
       select r.id, r.workspace_id, $1, '\\x00', '\\x00', $2::timestamptz - n * interval '1 second'
       from generate_series(1, $4::int) as n, (select * from atelier.workrooms where workspace_id = $3 limit 1) as r`,
      [member.userId, limit, acme, count],
    );
  /** A run over a database that does something else from its nth transaction on. */
  const runOver = (database: Database) => {
    const { app } = desk;
    const [host, audit, clock] = [app.get(HostMap), app.get(AuditLog), app.get(Clock)];
    const files = new ErasureFiles(database, host, app.get<ObjectStores>(OBJECT_STORES));
    return new RetentionRun({
      database,
      host,
      audit,
      clock,
      access: app.get<OpenAccess>(OPEN_ACCESS, { strict: false }),
      files: new RetentionFiles(database, files, clock),
      log: new RetentionLog(database),
      logKeep: 'P36M',
    }).run({ tenant: acme, id: acme });
  };
  const instead = (within: Database['within']): Database =>
    Object.assign(Object.create(desk.db.database) as Database, { within });

  test('a foreign key of a table that nobody mapped stops one row, is named, and is tried again', async () => {
    const poisoned = await someDue();
    await situation.sql(
      'create schema other; create table other.notes (message bigint references atelier.messages)',
    );
    await situation.sql('insert into other.notes values ($1)', [poisoned]);
    await situation.run(acme);
    expect(await due()).toBe(1);
    expect(await situation.failures(acme)).toEqual([
      expect.objectContaining({
        collection: 'messages',
        code: 'erasure.blocked_by_constraint',
        reason: expect.stringContaining('notes_message_fkey'),
        attempts: 1,
        nextAttemptAt: new Date(desk.clock.now().getTime() + HOUR),
      }),
    ]);
    const shown = (await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`)).body;
    const messages = shown.collections.find(
      ({ collection }: { collection: string }) => collection === 'messages',
    );
    expect(messages.failing).toMatchObject({ rows: 1, reasons: [expect.stringContaining('other.notes')] });
    // The key of the row stands nowhere.
    const [kept] = await situation.sql<{ row: string }>(
      'select t::text as row from habeas.retention_failures t',
    );
    expect(kept?.row).not.toContain(poisoned);

    // Not before its time, and then with more patience.
    await situation.run(acme);
    expect(await situation.failures(acme)).toMatchObject([{ attempts: 1 }]);
    desk.clock.advance(HOUR);
    await situation.run(acme);
    expect(await situation.failures(acme)).toMatchObject([
      { attempts: 2, nextAttemptAt: new Date(desk.clock.now().getTime() + 2 * HOUR) },
    ]);
    await situation.sql('drop table other.notes');
    desk.clock.advance(2 * HOUR);
    await situation.run(acme);
    expect(await situation.failures(acme)).toEqual([]);
    expect(await situation.count('atelier.messages where id = $1', [poisoned])).toBe(0);
  });

  test('a trigger that keeps a row keeps that row alone', async () => {
    const kept = await someDue();
    await situation.sql(`create function public.keep_it() returns trigger language plpgsql as $$
      begin if old.id = ${kept} then return null; end if; return old; end $$;
      create trigger keep_it before delete on atelier.messages for each row execute function public.keep_it()`);
    await situation.run(acme);
    expect(await due()).toBe(1);
    expect(await situation.failures(acme)).toMatchObject([
      { collection: 'messages', code: 'retention.row_stays' },
    ]);
  });

  test('a row that somebody has locked is left for later, without a word', async () => {
    const locked = await someDue();
    const client = new pg.Client({ connectionString: desk.db.ownerUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from atelier.messages where id = $1 for update', [locked]);
      await situation.run(acme);
      expect(await due()).toBe(1);
      expect(await situation.failures(acme)).toEqual([]);
    } finally {
      await client.query('rollback');
      await client.end();
    }
    await situation.run(acme);
    expect(await due()).toBe(0);
  });

  test('a locked attachment keeps its message for later, and no other', async () => {
    const [row] = await situation.sql<{ id: string; message: string }>(
      `select a.id, m.id::text as message from atelier.attachments a join atelier.messages m on m.id = a.message_id
       where m.workspace_id = $1 and m.sent_at <= $2 limit 1`,
      [acme, limit],
    );
    const client = new pg.Client({ connectionString: desk.db.ownerUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from atelier.attachments where id = $1 for update', [row?.id]);
      await situation.run(acme);
      expect(await situation.sql(`select id::text from atelier.messages where workspace_id = $1 and sent_at <= $2`, [acme, limit])).toEqual([{ id: row?.message }]); // prettier-ignore
    } finally {
      await client.query('rollback');
      await client.end();
    }
    expect(await situation.failures(acme)).toEqual([]);
  });

  test('killed after any number of batches, the next run goes on, and all of it is told once', async () => {
    await write(3000);
    const all = await due();
    const attachments = await situation.count(
      'atelier.attachments a join atelier.messages m on m.id = a.message_id where m.workspace_id = $1 and m.sent_at <= $2',
      [acme, limit],
    );
    for (const transactions of [2, 3, 4]) {
      let left = transactions;
      const dying = instead((tenancy, work, options) => {
        left -= 1;
        // As a process that is gone: nothing more is ever done.
        if (left < 0) throw new Error('killed');
        return desk.db.database.within(tenancy, work, options);
      });
      await expect(runOver(dying)).rejects.toThrow('killed');
    }
    expect(await due()).toBeLessThan(all);
    expect(await due()).toBeGreaterThan(0);
    expect(await situation.told(acme, 'retention.swept')).toEqual([]);
    await situation.run(acme);
    expect(await due()).toBe(0);
    expect(await situation.told(acme, 'retention.swept')).toEqual([
      { collections: { messages: { rows: all }, attachments: { rows: attachments, files: attachments } } },
    ]);
  });

  test('25,000 rows go in short transactions', async () => {
    await write(25_000);
    await situation.sql('analyze atelier.messages');
    const all = await due();
    const took: number[] = [];
    const timed = instead(async (tenancy, work, options) => {
      const started = performance.now();
      try {
        return await desk.db.database.within(tenancy, work, options);
      } finally {
        took.push(performance.now() - started);
      }
    });
    await runOver(timed);
    expect(await due()).toBe(0);
    expect(await situation.told(acme, 'retention.swept')).toMatchObject([
      { collections: { messages: { rows: all } } },
    ]);
    expect(took.length).toBeGreaterThan(8);
    // Under 200 ms is aimed at; this machine is shared.
    const median = took.toSorted((a, b) => a - b)[took.length >> 1] ?? 0;
    expect(median).toBeLessThan(1000);
  });

  test('files that the store does not take now are taken by the next run', async () => {
    const store = desk.app.get<ObjectStores>(OBJECT_STORES);
    const real = store.bucket.bind(store);
    store.bucket = (name) =>
      Object.assign(Object.create(real(name)) as ReturnType<typeof real>, {
        remove: () => Promise.reject(new Error('500')),
      });
    await situation.run(acme);
    const left = await situation.count('habeas.erasure_files');
    expect(left).toBeGreaterThan(0);
    expect(await due()).toBe(0);
    store.bucket = real;
    await situation.run(acme);
    expect(await situation.count('habeas.erasure_files')).toBe(0);
  });
});
