import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Holds } from '../../src/deletion/holds/holds.js';
import { type Caller, TestDesk } from '../support/desk.js';

const { acme, borealis } = { acme: demoPeople.owner.workspaceId, borealis: demoPeople.neighbour.workspaceId };
const member = { kind: 'user', key: demoPeople.member.userId };
const viewer = { kind: 'user', key: demoPeople.viewer.userId };
const path = `/v1/workspaces/${acme}/holds`;

describe('a legal hold', () => {
  let desk: TestDesk;
  let support: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    support = await desk.as('support');
  });
  afterAll(() => desk.close());

  const against = (tenant: string, ...subjects: { kind: string; key: string }[]) =>
    desk.db.database.within(systemTenancy(tenant, 'test'), (tx) => desk.app.get(Holds).against(tx, subjects));

  test('stands against its person, in its workspace, until it is released', async () => {
    const placed = await support.post(path, {
      subject: member,
      ground: 'Pending lawsuit 4 O 12/26',
      reviewOn: '2027-05-01',
    });
    expect(placed.status).toBe(201);
    expect(await against(acme, viewer, member)).toHaveLength(1);
    expect(await against(acme, viewer)).toHaveLength(0);
    expect(await against(borealis, member)).toHaveLength(0);

    expect((await support.delete(`${path}/${placed.body.id}`)).status).toBe(204);
    expect(await against(acme, member)).toHaveLength(0);
    expect((await support.delete(`${path}/${placed.body.id}`)).status).toBe(404);
  });

  test('on a workspace stands against everybody in it', async () => {
    const { body } = await support.post(path, {
      ground: 'Order of the tax office',
      reviewOn: '2027-01-01',
      disclosable: true,
    });
    expect(await against(acme, viewer)).toHaveLength(1);
    expect(await against(acme)).toHaveLength(1);
    await support.delete(`${path}/${body.id}`);
  });

  test('is staff’s alone to place and to see, each change an event', async () => {
    for (const person of ['owner', 'member', 'privacy-lead'] as const) {
      const caller = await desk.as(person);
      expect((await caller.get(path)).status).toBe(403);
      expect((await caller.post(path, { ground: 'x', reviewOn: '2027-01-01' })).status).toBe(403);
    }
    const events = await desk.db.behindTheScenes<{ action: string }>(
      `select action from habeas.events where action like 'hold.%' order by id`,
    );
    expect(events.map(({ action }) => action)).toEqual([
      'hold.placed',
      'hold.released',
      'hold.placed',
      'hold.released',
    ]);
  });

  test('keeps its details sealed', async () => {
    await support.post(path, { ground: 'Claim', details: 'SentinelDetails', reviewOn: '2027-01-01' });
    const rows = await desk.db.behindTheScenes('select * from habeas.holds');
    expect(JSON.stringify(rows)).not.toContain('SentinelDetails');
  });

  test('pages through its list, newest first', async () => {
    const first = await support.get(`${path}?limit=2`);
    const second = await support.get(`${path}?limit=2&cursor=${first.body.next}`);
    expect([...first.body.items, ...second.body.items]).toHaveLength(3);
    expect(second.body.next).toBeNull();
    expect(first.body.items[0].placedAt >= second.body.items[0].placedAt).toBe(true);
  });

  test('is refused with what is wrong, and nothing of what was sent', async () => {
    const { status, body } = await support.post(path, { ground: '', reviewOn: 'sentinel', extra: 1 });
    expect(status).toBe(400);
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      'extra',
      'ground',
      'reviewOn',
    ]);
    expect(JSON.stringify(body)).not.toContain('sentinel');
  });
});
