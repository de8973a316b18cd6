import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { commitment } from '../../src/audit/disclosures.js';
import { type Caller, TestDesk } from '../support/desk.js';

const acme = demoPeople.owner.workspaceId;
const log = `/v1/workspaces/${acme}/events`;
const { member, viewer } = demoPeople;
/** As the database's clock has it: the service's stands still. */
const now = () => new Date('2026-11-20T11:00:00Z');

const planChanged = () => ({
  occurredAt: now().toISOString(),
  action: 'plan.changed',
  actor: { type: 'person', id: member.userId, name: 'Mira Sentinel' },
  targets: [
    { type: 'plan', id: 'pro', name: 'The Sentinel plan' },
    { type: 'person', id: viewer.userId, name: 'Vera Sentinel' },
  ],
  subjects: [{ kind: 'customer', id: 'c-77', name: 'Carl Sentinel' }],
  context: { ip: '203.0.113.77', userAgent: 'Sentinel/1.0', requestId: 'req-1' },
  metadata: {
    from: 'free',
    to: 'pro',
    seats: 3,
    note: 'Sentinel asked for it',
    list: ['eu', 'Sentinel & Co'],
  },
});

describe('the log over HTTP', () => {
  let desk: TestDesk;
  let owner: Caller;
  let host: Caller;
  let reader: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    owner = await desk.as('owner');
    const token = async (permission: string) =>
      (await owner.post(`/v1/workspaces/${acme}/tokens`, { name: 'App', permissions: [permission] })).body
        .token;
    host = desk.bearer(await token('events:write'));
    reader = desk.bearer(await token('events:read'));
  });
  afterAll(() => desk.close());

  const rowOf = async (id: string) =>
    (
      await desk.db.behindTheScenes<Record<string, any>>('select * from habeas.events where id = $1', [id])
    )[0];
  const pseudonymOf = async (key: string) =>
    (
      await desk.db.behindTheScenes<{ pseudonym: string }>(
        'select pseudonym from habeas.pseudonyms where tenant_id = $1 and subject_key = $2',
        [acme, key],
      )
    )[0]?.pseudonym;

  test('an event that a host app pushes holds pseudonyms and codes, and all else is a disclosure with its commitment', async () => {
    const { status, body } = await host.post(log, planChanged());
    expect(status).toBe(201);
    const [{ id }] = body.items;
    const row = await rowOf(id);
    for (const value of ['Sentinel', '203.0.113.77', member.userId, viewer.userId, 'c-77'])
      expect(JSON.stringify(row)).not.toContain(value);
    expect(row).toMatchObject({
      actor_id: await pseudonymOf(member.userId),
      targets: [
        { type: 'plan', id: 'pro' },
        { type: 'person', id: await pseudonymOf(viewer.userId) },
      ],
      metadata: { from: 'free', to: 'pro', seats: 3, note: null, list: ['eu', null] },
      context: { ip: null, userAgent: null, requestId: 'req-1', via: expect.stringMatching(/^token:/) },
    });
    expect([...row?.subjects].sort()).toEqual(
      (await Promise.all([member.userId, viewer.userId, 'c-77'].map(pseudonymOf))).sort(),
    );
    const disclosures = await desk.db.behindTheScenes<{
      path: string;
      value: unknown;
      salt: Buffer;
      subject: string;
    }>('select * from habeas.event_disclosures where event_id = $1', [id]);
    expect(disclosures).toHaveLength(8);
    for (const { path, value, salt } of disclosures)
      expect(row?.commitments[path]).toBe(commitment(path, value, salt));
    const whose = Object.fromEntries(disclosures.map(({ path, subject }) => [path, subject]));
    expect(whose['context.ip']).toBe(await pseudonymOf(member.userId));
    expect(whose['targets.1.name']).toBe(await pseudonymOf(viewer.userId));
    expect(whose['targets.0.name']).toBeNull();
  });

  test('whoever may read the log sees disclosures in their places', async () => {
    const { body } = await reader.get(`${log}?action=plan.changed&limit=1`);
    const [event] = body.items;
    const pushed = planChanged();
    expect(event).toMatchObject({
      occurredAt: pushed.occurredAt,
      outcome: 'success',
      actor: { type: 'person', name: 'Mira Sentinel' },
      targets: [
        { type: 'plan', id: 'pro', name: 'The Sentinel plan' },
        { type: 'person', name: 'Vera Sentinel' },
      ],
      context: pushed.context,
      metadata: pushed.metadata,
    });
    expect(event.subjects).toHaveLength(3);
    expect(event.subjects).toContainEqual({ id: await pseudonymOf('c-77'), name: 'Carl Sentinel' });
  });

  test('a disclosure that was erased leaves its place empty, and the event as it was', async () => {
    const [{ id }] = (await host.post(log, planChanged())).body.items;
    await desk.db.behindTheScenes('delete from habeas.event_disclosures where event_id = $1', [id]);
    const [event] = (await reader.get(`${log}?action=plan.changed&limit=200`)).body.items.filter(
      (item: { id: string }) => item.id === id,
    );
    expect(JSON.stringify(event)).not.toContain('Sentinel');
    expect(event).toMatchObject({ metadata: { from: 'free', note: null }, context: { ip: null } });
  });

  test('pages go from the newest to the oldest, each event once, whatever the size of a page', async () => {
    const start = now().getTime() - 3_600_000;
    const events = Array.from({ length: 25 }, (_, nth) => ({
      ...planChanged(),
      action: 'paged.event',
      // Out of order, and several in one millisecond.
      occurredAt: new Date(start + ((nth * 7) % 10) * 1000).toISOString(),
    }));
    const ids = (await host.post(log, events)).body.items.map(({ id }: { id: string }) => id);
    for (const limit of [1, 7, 25, 200]) {
      const seen: { id: string; occurredAt: string }[] = [];
      let next: string | null = '';
      while (next !== null) {
        const page: { items: typeof seen; next: string | null } = (
          await reader.get(`${log}?action=paged.event&limit=${limit}${next && `&cursor=${next}`}`)
        ).body;
        seen.push(...page.items);
        next = page.next;
      }
      expect(seen.map(({ id }) => id).sort()).toEqual([...ids].sort());
      const times = seen.map(({ occurredAt }) => occurredAt);
      expect(times).toEqual([...times].sort().reverse());
    }
  });

  test('filters find by action, its beginning, actor, target and time', async () => {
    const one = { ...planChanged(), action: 'filter.one', occurredAt: '2026-03-01T00:00:00.000Z' };
    const two = {
      ...planChanged(),
      action: 'filter.two',
      occurredAt: '2026-03-02T00:00:00.000Z',
      actor: { type: 'person', id: viewer.userId },
      targets: [{ type: 'room', id: 'room-9' }],
    };
    await host.post(log, [one, two]);
    const found = async (query: string) =>
      (await reader.get(`${log}?${query}&limit=200`)).body.items
        .map(({ action }: { action: string }) => action)
        .filter((action: string) => action.startsWith('filter'));
    expect(await found('action=filter.*')).toEqual(['filter.two', 'filter.one']);
    expect(await found('action=filter.one')).toEqual(['filter.one']);
    expect(await found('action=filt.*')).toEqual([]);
    expect(await found(`actor=${member.userId}`)).toEqual(['filter.one']);
    expect(await found(`actor=${(await pseudonymOf(viewer.userId)) ?? ''}`)).toEqual(['filter.two']);
    expect(await found('target=room-9')).toEqual(['filter.two']);
    expect(await found(`target=${viewer.userId}`)).toEqual(['filter.one']);
    expect(await found('from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z')).toEqual(['filter.one']);
    expect(await found('from=2026-03-01T00:00:00.001Z&to=2026-03-02T00:00:00.001Z')).toEqual(['filter.two']);
    expect(await found(`actor=${randomUUID()}`)).toEqual([]);
  });

  test('a call whose one event is wrong records none of them', async () => {
    const { status, body } = await host.post(log, [
      { ...planChanged(), action: 'half.pushed' },
      { ...planChanged(), action: 'half.pushed', targets: [{ type: 'plan', id: 'someone@example.org' }] },
    ]);
    expect({ status, paths: body.errors.map(({ path }: { path: string }) => path) }).toEqual({
      status: 400,
      paths: ['1.targets.0.id'],
    });
    expect(JSON.stringify(body)).not.toContain('someone');
    expect((await reader.get(`${log}?action=half.pushed`)).body.items).toEqual([]);
  });

  test.each([
    ['an action that is no action', { action: 'Plan changed' }, 400, 'action'],
    ['an unknown field', { secret: 1 }, 400, 'secret'],
    [
      'a kind of people that the map has not',
      { subjects: [{ kind: 'robot', id: 'r2' }] },
      400,
      'subjects.0.kind',
    ],
    ['what staff did', { actor: { type: 'staff', id: 'me' } }, 400, 'actor.type'],
    ['who pushed it', { context: { via: 'habeas' } }, 400, 'context.via'],
    ['a key that is a mail', { metadata: { 'mira@acme.example': 1 } }, 400, 'metadata'],
    ['a time to come', { occurredAt: '2027-01-01T00:00:00Z' }, 422, undefined],
    ['a time before computers', { occurredAt: '1969-12-31T23:59:59Z' }, 422, undefined],
    ['no actor', { actor: undefined }, 400, 'actor'],
  ])('refuses %s', async (_, change, status, path) => {
    const answer = await host.post(log, { ...planChanged(), ...change });
    expect({ status: answer.status, path: answer.body.errors?.[0]?.path }).toEqual({ status, path });
  });

  test('a hundred and one events are too many for one call', async () => {
    expect((await host.post(log, Array.from({ length: 100 }, planChanged))).status).toBe(201);
    expect((await host.post(log, Array.from({ length: 101 }, planChanged))).status).toBe(400);
  });

  test('two calls about the same new people at once both succeed', async () => {
    const people = Array.from({ length: 12 }, () => randomUUID());
    const about = (ids: string[]) => ({ ...planChanged(), subjects: ids.map((id) => ({ id })) });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, nth) => host.post(log, about(nth % 2 ? people : [...people].reverse()))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  });

  test('what a host app pushes about a request is not in the request’s timeline', async () => {
    const { body } = await owner.post(`/v1/workspaces/${acme}/requests`, {
      kind: 'access',
      scope: 'workspace',
    });
    const forged = {
      ...planChanged(),
      action: 'request.refused',
      targets: [{ type: 'request', id: body.id }],
    };
    expect((await host.post(log, forged)).status).toBe(201);
    const { timeline } = (await owner.get(`/v1/workspaces/${acme}/requests/${body.id}`)).body;
    expect(timeline.length).toBeGreaterThan(0);
    expect(timeline.map(({ action }: { action: string }) => action)).not.toContain('request.refused');
  });

  test('a token that writes cannot read, and one that reads cannot write', async () => {
    expect((await host.get(log)).status).toBe(403);
    expect((await reader.post(log, planChanged())).status).toBe(403);
  });
});
