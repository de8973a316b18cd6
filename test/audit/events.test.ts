import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commitment } from '../../src/audit/disclosures.js';
import { AuditLog } from '../../src/audit/events.js';
import { type Tenancy } from '../../src/database/tenancy.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const tenant = '20000000-0000-4000-8000-000000000001';
const ada = { kind: 'user', key: 'ada' };
const call: Tenancy = {
  tenant,
  actor: { type: 'person', subject: ada, name: 'Ada Sentinel' },
  context: { requestId: 'req-1', ip: '203.0.113.9', userAgent: 'SentinelBrowser' },
};

interface EventRow {
  id: string;
  actor_id: string;
  subjects: string[];
  commitments: Record<string, string>;
}

describe('the audit log', () => {
  let db: TestDatabase;
  const audit = new AuditLog();
  beforeAll(async () => {
    db = await createDatabase();
  });
  afterAll(() => db.drop());

  const record = (
    tenancy: Tenancy,
    ...details: Parameters<AuditLog['record']> extends [unknown, ...infer Rest] ? Rest : never
  ) => db.database.within(tenancy, (tx) => audit.record(tx, ...details));

  test('keeps nothing personal in the event row', async () => {
    await record(call, 'request.filed', {
      targets: [{ type: 'request', id: 'r1' }],
      metadata: { kind: 'access' },
    });
    const rows = JSON.stringify(await db.behindTheScenes('select * from habeas.events'));
    for (const value of ['Ada Sentinel', '203.0.113.9', 'SentinelBrowser', '"ada"'])
      expect(rows).not.toContain(value);
  });

  test('commits to every disclosure with a salt of its own', async () => {
    const id = await record(call, 'request.noted', {
      disclosures: [{ path: 'metadata.text', value: { b: 1, a: 'x' }, subject: ada }],
    });
    const [event] = await db.behindTheScenes<EventRow>('select * from habeas.events where id = $1', [id]);
    const disclosures = await db.behindTheScenes<{
      path: string;
      salt: Buffer;
      value: unknown;
      subject: string;
    }>('select path, salt, value, subject from habeas.event_disclosures where event_id = $1', [id]);
    expect(disclosures).toHaveLength(4);
    expect(new Set(disclosures.map(({ salt }) => salt.toString('hex'))).size).toBe(4);
    for (const { path, salt, value, subject } of disclosures) {
      expect(event?.commitments[path]).toBe(commitment(path, value, salt));
      expect(subject).toBe(event?.actor_id);
    }
  });

  test('gives a person one random pseudonym per tenant', async () => {
    const elsewhere = { ...call, tenant: '20000000-0000-4000-8000-000000000002' };
    await Promise.all([1, 2, 3, 4].map(() => record(elsewhere, 'request.viewed')));
    const ids = await db.behindTheScenes<{ tenant_id: string; actors: string }>(
      'select tenant_id, count(distinct actor_id) as actors from habeas.events group by tenant_id',
    );
    expect(ids.map(({ actors }) => actors)).toEqual(['1', '1']);
    const [all] = await db.behindTheScenes<{ n: string }>(
      'select count(distinct actor_id) as n from habeas.events',
    );
    expect(all?.n).toBe('2');
  });

  test('leaves no event when its change rolls back', async () => {
    const failing = db.database.within(call, async (tx) => {
      await audit.record(tx, 'request.vanished');
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    expect(
      await db.behindTheScenes(`select from habeas.events where action = 'request.vanished'`),
    ).toHaveLength(0);
  });

  test('cannot be rewritten by the service', async () => {
    for (const sql of [
      'update habeas.events set outcome = null',
      'delete from habeas.events',
      'truncate habeas.events',
    ]) {
      await expect(db.database.within(call, (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
    }
  });

  test('tells another tenant that somebody did it, and not who by name, nor from which address and machine', async () => {
    const elsewhere = '20000000-0000-4000-8000-000000000009';
    const id = await db.database.within(call, (tx) =>
      tx.inTenant(elsewhere, () =>
        audit.record(tx, 'request.filed', {
          subjects: [ada],
          disclosures: [{ path: 'metadata.text', value: 'theirs to know', subject: ada }],
        }),
      ),
    );
    const [event] = await db.behindTheScenes<EventRow & { tenant_id: string; actor_type: string }>(
      'select * from habeas.events where id = $1',
      [id],
    );
    expect(event).toMatchObject({ tenant_id: elsewhere, actor_type: 'person', actor_id: event?.subjects[0] });
    expect(Object.keys(event?.commitments ?? {})).toEqual(['metadata.text']);
    expect(
      await db.behindTheScenes('select path, value from habeas.event_disclosures where event_id = $1', [id]),
    ).toEqual([{ path: 'metadata.text', value: 'theirs to know' }]);
  });
});
