import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { AuditLog } from '../../src/audit/events.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { TestDesk } from '../support/desk.js';
import { Gate } from '../support/gate.js';
import { RetentionSituation } from './retention-situation.js';

const { acme, borealis } = workspaceIds;
const { member, viewer } = demoPeople;
const DAY = 86_400_000;

let desk: TestDesk;
let situation: RetentionSituation;
beforeAll(async () => {
  desk = await TestDesk.open({ work: false });
  situation = new RetentionSituation(desk);
  await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`);
  await (await desk.as('neighbour')).get(`/v1/workspaces/${borealis}/retention`);
  // Whatever was over before any test goes first.
  await situation.keep(acme, 'messages', 'P30D');
  await situation.run(acme);
});
afterAll(() => desk.close());
beforeEach(() => situation.sql('delete from habeas.holds'));

const hold = (tenant: string, about: { person?: string; collection?: string } = {}) =>
  situation.sql(
    `insert into habeas.holds (tenant_id, subject_kind, subject_key, collection, ground, review_on, placed_by, placed_at)
     values ($1, $2, $3, $4, 'Order', '2027-05-01', 'test', now())`,
    [tenant, about.person === undefined ? null : 'user', about.person ?? null, about.collection ?? null],
  );

const write = async (author: string, count = 1, room = 'order by id limit 1') => {
  const rows = await situation.sql<{ id: string }>(
    `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
     select r.id, r.workspace_id, $1, '\\x00', '\\x00', $2 from generate_series(1, $4::int),
       (select * from atelier.workrooms where workspace_id = $3 ${room}) as r returning id::text`,
    [author, new Date(desk.clock.now().getTime() - 40 * DAY), acme, count],
  );
  return rows.map(({ id }) => id);
};
const left = (ids: readonly string[]) =>
  situation.count('atelier.messages where id = any ($1::bigint[])', [ids]);

/** Does something while the first delete of the table stands with its locks, before it is committed. */
const during = async (table: string, act: (gate: Gate) => Promise<unknown>, run: () => Promise<void>) => {
  const gate = await Gate.shut(desk.db, table, 'delete');
  try {
    const running = run();
    try {
      await gate.reached();
      await act(gate);
    } finally {
      await gate.open();
      await running;
    }
  } finally {
    await gate.remove();
  }
};

describe('a sweep of rows', () => {
  test('heeds a hold that is placed while it runs, from the next batch on', async () => {
    const ids = await write(member.userId, 100);
    await during(
      'atelier.messages',
      () => hold(acme, { person: member.userId }),
      () => situation.run(acme),
    );
    const kept = await left(ids);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(100);
  });

  test('lets a release of a hold wait for the batch that has looked at it', async () => {
    await hold(acme, { person: viewer.userId });
    await write(member.userId, 20);
    const client = new pg.Client({ connectionString: desk.db.ownerUrl });
    await client.connect();
    try {
      await client.query(`set lock_timeout = '20ms'`);
      const release = () => client.query(`update habeas.holds set released_by = 'test', released_at = now()`);
      await during(
        'atelier.messages',
        () => expect(release()).rejects.toThrow('lock timeout'),
        () => situation.run(acme),
      );
    } finally {
      await client.end();
    }
  });

  test('keeps in a workspace what the host holds of a person', async () => {
    const [theirs, others] = [await write(member.userId), await write(viewer.userId)];
    await hold(HOST_TENANT, { person: member.userId });
    await situation.run(acme);
    expect([await left(theirs), await left(others)]).toEqual([1, 0]);
  });

  test('keeps in a workspace what the host holds of everybody: a collection, or everything', async () => {
    const ids = await write(member.userId);
    await hold(HOST_TENANT, { collection: 'messages' });
    await situation.run(acme);
    expect(await left(ids)).toBe(1);
    await situation.sql('update habeas.holds set collection = null');
    await situation.run(acme);
    expect(await left(ids)).toBe(1);
    await situation.sql(`update habeas.holds set collection = 'integrations'`);
    await situation.run(acme);
    expect(await left(ids)).toBe(0);
  });
});

describe('a sweep of the audit log', () => {
  // The database has a clock of its own, by which nothing younger than 30 days goes.
  beforeAll(() => desk.clock.set(new Date()));
  beforeEach(async () => {
    await situation.keep(acme, 'messages', null);
    await situation.keep(acme, 'auditLog', 'P60D');
    await situation.run(acme);
  });

  const happened = (subject?: string) =>
    desk.db.database.within(systemTenancy(acme, 'test'), (tx) =>
      desk.app.get(AuditLog).record(tx, 'test.happened', {
        occurredAt: new Date(Date.now() - 90 * DAY),
        ...(subject !== undefined && { subjects: [{ kind: 'user', key: subject }] }),
      }),
    );
  const events = () =>
    situation.count(`habeas.events where tenant_id = $1 and action = 'test.happened'`, [acme]);
  /** A batch of 5,000 and one more. */
  const fill = async () => {
    await situation.sql(
      `insert into habeas.events select (jsonb_populate_record(e, jsonb_build_object('id',
         overlay(e.id::text placing lpad(to_hex(n), 12, '0') from 25), 'position', null) - 'position')).*
       from habeas.events e, generate_series(1, 5001) n where e.id = $1`,
      [await happened()],
    );
  };

  test('that is lengthened while it runs goes on no further', async () => {
    await fill();
    const owner = await desk.as('owner');
    await during(
      'habeas.events',
      async (gate) => {
        const change = owner.put(`/v1/workspaces/${acme}/retention`, { auditLog: 'P120D' });
        await gate.queued();
        situation.comesFirst(change);
        await gate.open();
        expect((await change).status).toBe(200);
      },
      () => situation.run(acme),
    );
    expect(await events()).toBe(2);
  });

  test('does nothing in a workspace that is held, and keeps what is about a person whom the host holds', async () => {
    await situation.sql(`delete from habeas.holds`);
    await situation.run(acme);
    await happened(member.userId);
    await happened(viewer.userId);
    const before = await events();
    await hold(acme);
    await situation.run(acme);
    expect(await events()).toBe(before);
    await situation.sql('delete from habeas.holds');
    await hold(HOST_TENANT, { person: member.userId });
    await situation.run(acme);
    expect(await events()).toBe(1);
  });
});
