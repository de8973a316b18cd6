import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';

describe('what the desk counts and leads to', () => {
  let desk: TestDesk;
  let support: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    support = await desk.as('support');
  });
  afterAll(() => desk.close());

  const write = async (jurisdiction: string, receivedAt: string) => {
    const mail = `${jurisdiction}.${receivedAt.slice(0, 10)}@elsewhere.example`;
    const { status, body } = await support.post('/v1/desk/requests', {
      mail,
      channel: 'mail',
      jurisdiction,
      receivedAt,
    });
    expect(status).toBe(201);
    return body as { id: string; dueOn: string };
  };
  const dueSoon = async (): Promise<number> =>
    (await support.get('/v1/desk/requests')).body.counts.dueWithinSevenDays;

  test('a request whose clock stands is not due within seven days, and is again when it runs on', async () => {
    const { id, dueOn } = await write('DE', '2026-10-25T12:00:00Z');
    expect(dueOn).toBe('2026-11-25');
    expect(await dueSoon()).toBe(1);
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
    const pause = { reason: 'Two people share this address.', needed: 'Your customer number.' };
    expect((await support.post(`${path}/pauses`, pause)).status).toBe(201);
    expect(await dueSoon()).toBe(0);
    expect((await support.delete(`${path}/pauses`)).status).toBe(204);
    expect(await dueSoon()).toBe(1);
  });

  test('seven days are counted from the day it is where the law is, as for what is late', async () => {
    const before = await dueSoon();
    const { dueOn } = await write('JP', '2026-11-14T12:00:00Z');
    expect(dueOn).toBe('2026-11-28');
    expect(await dueSoon()).toBe(before);
    desk.clock.set('2026-11-20T15:30:00Z'); // the 21st in Tokyo
    support = await desk.as('support');
    expect(await dueSoon()).toBe(before + 1);
  });

  test('each item says where staff open it, account matters too', async () => {
    const { items } = (await support.get('/v1/desk/requests')).body;
    expect(items.length).toBeGreaterThan(0);
    for (const { id, path } of items) {
      expect(path).toBe(`/v1/workspaces/${HOST_TENANT}/requests/${id}`);
      expect((await support.get(path as string)).body.id).toBe(id);
    }
  });
});
