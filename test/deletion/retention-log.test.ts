import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { AuditLog } from '../../src/audit/events.js';
import { TestDesk } from '../support/desk.js';
import { RetentionSituation } from './retention-situation.js';

const { acme, borealis } = workspaceIds;
const DAY = 86_400_000;

describe('the audit log of a living workspace', () => {
  let desk: TestDesk;
  let situation: RetentionSituation;
  beforeEach(async () => {
    desk = await TestDesk.open({ work: false });
    situation = new RetentionSituation(desk);
    await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`);
    // The database has a clock of its own, by which nothing younger than 30 days goes.
    desk.clock.set(new Date());
  });
  afterEach(() => desk.close());

  const write = (tenant: string, days: number, subject?: string) =>
    desk.db.database.within(systemTenancy(tenant, 'test'), (tx) =>
      desk.app.get(AuditLog).record(tx, 'test.happened', {
        occurredAt: new Date(Date.now() - days * DAY),
        disclosures: [{ path: 'metadata.word', value: 'word' }],
        ...(subject !== undefined && { subjects: [{ kind: 'user', key: subject }] }),
      }),
    );
  const left = async (tenant: string = acme) =>
    (
      await situation.sql<{ id: string }>(
        `select id from habeas.events where tenant_id = $1 and action = 'test.happened' order by id`,
        [tenant],
      )
    ).map(({ id }) => id);

  test('loses what is older than the workspace keeps it, and says how much and up to which', async () => {
    const [gone, gone2, stays] = [await write(acme, 90), await write(acme, 61), await write(acme, 59)];
    const neighbours = await write(borealis, 90);
    await situation.keep(acme, 'auditLog', 'P60D');
    await situation.run(acme);
    expect(await left()).toEqual([stays]);
    expect(await left(borealis)).toEqual([neighbours]);
    expect(await situation.count('habeas.event_disclosures where event_id = any ($1)', [[gone, gone2]])).toBe(
      0,
    );
    expect(
      await situation.count('habeas.event_disclosures where event_id = any ($1)', [[stays, neighbours]]),
    ).toBe(2);
    expect(await situation.told(acme, 'audit_log.shortened')).toEqual([
      { events: 2, upTo: gone2, keep: 'P60D' },
    ]);
    await situation.run(acme);
    expect(await situation.told(acme, 'audit_log.shortened')).toHaveLength(1);
  });

  test('never loses the last 30 days, whatever is asked of the database', async () => {
    const [old, young] = [await write(acme, 31), await write(acme, 29)];
    await situation.keep(acme, 'auditLog', 'P1D');
    desk.clock.advance(1000 * DAY);
    await situation.run(acme);
    expect(await left()).toEqual([young]);
    expect(await left()).not.toContain(old);
  });

  test('is kept for as long as requests where nobody has said anything', async () => {
    const [gone, stays] = [await write(acme, 1110), await write(acme, 1080)];
    await situation.run(acme);
    expect(await left()).toEqual([stays]);
    expect(gone).not.toBe(stays);
  });

  test('keeps the events about a person under a hold', async () => {
    const [theirs, others] = [
      await write(acme, 90, demoPeople.member.userId),
      await write(acme, 90, demoPeople.viewer.userId),
    ];
    await situation.keep(acme, 'auditLog', 'P60D');
    await (
      await desk.as('support')
    ).post(`/v1/workspaces/${acme}/holds`, {
      subject: { kind: 'user', key: demoPeople.member.userId },
      ground: 'Order',
      reviewOn: '2027-05-01',
    });
    await situation.run(acme);
    expect(await left()).toEqual([theirs]);
    expect(others).not.toBe(theirs);
  });

  test('keeps the story of a matter that is open, of an account’s that touches the workspace too', async () => {
    const [before, during] = [await write(acme, 90), await write(acme, 70)];
    await situation.keep(acme, 'auditLog', 'P60D');
    const filed = await (await desk.as('member')).post('/v1/me/requests', { kind: 'deletion' });
    await situation.sql(`update habeas.requests set received_at = now() - interval '80 days' where id = $1`, [
      filed.body.id,
    ]);
    await situation.run(acme);
    expect(await left()).toEqual([during]);
    expect(before).not.toBe(during);
    await (await desk.as('member')).post(`/v1/me/requests/${filed.body.id}/withdrawals`);
    await situation.run(acme);
    expect(await left()).toEqual([]);
  });

  test('tells once of a run, however many batches it took', async () => {
    const first = await write(acme, 90);
    // 5,000 go with one batch: as many again, a millisecond of their ids later each.
    await situation.sql(
      `insert into habeas.events select (jsonb_populate_record(e, jsonb_build_object('id',
         overlay(e.id::text placing lpad(to_hex(n), 12, '0') from 25), 'position', null) - 'position')).*
       from habeas.events e, generate_series(1, 5001) n where e.id = $1`,
      [first],
    );
    expect((await left()).length).toBe(5002);
    await situation.keep(acme, 'auditLog', 'P60D');
    const newest = (await left()).at(-1);
    await situation.run(acme);
    expect(await left()).toEqual([]);
    expect(await situation.told(acme, 'audit_log.shortened')).toEqual([
      { events: 5002, upTo: newest, keep: 'P60D' },
    ]);
  });

  test('is out of everybody’s reach but the one function’s', async () => {
    await write(acme, 90);
    const asApp = (sql: string) =>
      desk.db.database.within(systemTenancy(acme, 'test'), (tx) => tx.query(sql));
    await expect(asApp('delete from habeas.events')).rejects.toThrow('permission denied');
    await expect(asApp('delete from habeas.event_disclosures')).rejects.toThrow('permission denied');
    for (const bad of [`null, '{}', 10`, `now(), null, 10`, `now(), '{}', 0`, `now(), '{}', 100000`])
      await expect(asApp(`select * from habeas.forget_events(${bad})`)).rejects.toThrow(
        'forget_events needs',
      );
    const nowhere = desk.db.database.within(systemTenancy('', 'test'), (tx) =>
      tx.query(`select * from habeas.forget_events(now(), '{}', 10)`),
    );
    await expect(nowhere).rejects.toThrow('forget_events needs a tenant');
    expect(await left()).toHaveLength(1);
  });
});
