import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { proofEndsAt } from '../../src/dsar/proof/deadline.js';
import { TestDesk } from '../support/desk.js';

const DAY = 86_400_000;
const zone = 'Europe/Berlin';
const end = (filed: string, dueOn: string | null, paused = false) =>
  proofEndsAt({ filedAt: new Date(filed), dueOn, zone }, paused).toISOString();

describe('the time to prove identity', () => {
  test('ends after 30 days where the law’s last day comes later', () =>
    expect(end('2026-11-20T12:00:00Z', '2027-01-04')).toBe('2026-12-20T12:00:00.000Z'));
  test('ends on the evening of the law’s last day, where the request lay for a while before it was filed', () =>
    expect(end('2026-11-20T12:00:00Z', '2026-12-04')).toBe('2026-12-04T17:00:00.000Z'));
  test('is seven days at least, however late it was filed', () => {
    expect(end('2026-11-20T12:00:00Z', '2026-11-23')).toBe('2026-11-27T12:00:00.000Z');
    expect(end('2026-11-20T12:00:00Z', '2026-10-01')).toBe('2026-11-27T12:00:00.000Z');
  });
  test('does not look at a day that stands still, nor at one that there is not', () => {
    expect(end('2026-11-20T12:00:00Z', '2026-12-04', true)).toBe('2026-12-20T12:00:00.000Z');
    expect(end('2026-11-20T12:00:00Z', null)).toBe('2026-12-20T12:00:00.000Z');
  });
  test('is between 7 and 30 days, whatever the dates', () => {
    const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, moment, fc.boolean(), (filedAt, due, paused) => {
        const dueOn = due.toISOString().slice(0, 10);
        const days = (proofEndsAt({ filedAt, dueOn, zone }, paused).getTime() - filedAt.getTime()) / DAY;
        expect(days).toBeGreaterThanOrEqual(7);
        expect(days).toBeLessThanOrEqual(30);
      }),
    );
  });
});

describe('a letter that lay before it was filed, and that nobody proves', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
  });
  afterAll(() => desk.close());

  const write = async (receivedAt: string) => {
    const support = await desk.as('support');
    const mail = `late${receivedAt}@elsewhere.example`.replaceAll(':', '');
    const { body } = await support.post('/v1/desk/requests', {
      mail,
      channel: 'letter',
      receivedAt,
      jurisdiction: 'DE',
    });
    return body as { id: string; dueOn: string };
  };
  const pathOf = (id: string) => `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
  const seenAt = async (id: string, moment: string) => {
    desk.clock.set(moment);
    await desk.sweep();
    return (await (await desk.as('support')).get(pathOf(id))).body;
  };
  const letters = (id: string) =>
    desk.db.behindTheScenes<{ template: string }>('select template from habeas.outbox where about = $1', [
      id,
    ]);

  test('is refused in the month of its receipt, with the rights, and until then proves itself', async () => {
    const { id, dueOn } = await write('2026-11-02T09:00:00Z');
    expect(dueOn).toBe('2026-12-02');
    expect((await seenAt(id, '2026-12-02T16:59:59Z')).status).toBe('verifying');
    const links = await desk.db.behindTheScenes<{ expires: Date }>(
      'select expires_at as expires from habeas.request_verifications where request_id = $1',
      [id],
    );
    for (const { expires } of links)
      expect(expires.getTime()).toBeLessThanOrEqual(Date.parse('2026-12-02T17:00Z'));
    const refused = await seenAt(id, '2026-12-02T17:00:00Z');
    expect(refused).toMatchObject({
      status: 'refused',
      overdue: false,
      refusals: [{ ground: 'identity_not_proven', at: '2026-12-02T17:00:00.000Z' }],
    });
    expect(await letters(id)).toContainEqual({ template: 'identity-refused' });
  });

  test('has the seven days of its link, though the month has ended', async () => {
    desk.clock.set('2026-12-10T12:00:00Z');
    const { id, dueOn } = await write('2026-11-02T09:00:00Z');
    expect(dueOn).toBe('2026-12-02');
    expect(await seenAt(id, '2026-12-17T11:59:59Z')).toMatchObject({ status: 'verifying', overdue: true });
    expect(await seenAt(id, '2026-12-17T12:00:00Z')).toMatchObject({ status: 'refused' });
  });

  test('waits while its clock is stopped', async () => {
    desk.clock.set('2026-12-18T12:00:00Z');
    const { id } = await write('2026-12-01T09:00:00Z');
    const support = await desk.as('support');
    const pause = { reason: 'Two people have this name.', needed: 'Your customer number.' };
    expect((await support.post(`${pathOf(id)}/pauses`, pause)).status).toBe(201);
    expect((await seenAt(id, '2027-01-10T12:00:00Z')).status).toBe('verifying');
    expect((await seenAt(id, '2027-01-17T12:00:00Z')).status).toBe('refused');
  });
});
