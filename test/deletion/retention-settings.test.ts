import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';

const { acme, borealis } = workspaceIds;
const HOUR = 3_600_000;
const path = `/v1/workspaces/${acme}/retention`;

interface Shown {
  collections: { collection: string; [more: string]: unknown }[];
  [more: string]: unknown;
}
const of = (body: Shown, name: string) => body.collections.find(({ collection }) => collection === name);
const keeping = (keep: string | null, collection = 'messages') => ({
  collections: { [collection]: { keep } },
});

describe('what a workspace says of how long it keeps', () => {
  let desk: TestDesk;
  let owner: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    owner = await desk.as('owner');
  });
  afterAll(() => desk.close());

  /** The token of a session lasts an hour. */
  const pass = async (milliseconds: number) => {
    desk.clock.advance(milliseconds);
    owner = await desk.as('owner');
  };
  const messages = async () => of((await owner.get<Shown>(path)).body, 'messages');
  const events = async () =>
    desk.db.behindTheScenes<{ targets: unknown; metadata: unknown }>(
      `select targets, metadata from habeas.events where action = 'retention.changed' and tenant_id = $1 order by id`,
      [acme],
    );

  test('shows the map’s defaults where nothing is set, and what cannot be set', async () => {
    const { status, body } = await owner.get<Shown>(path);
    expect(of(body, 'messages')?.title).toBe('Messages');
    expect(status).toBe(200);
    expect(of(body, 'messages')).toMatchObject({
      keep: null, source: 'default', after: 'sent_at', pending: null, default: null, floor: null, adjustable: true, failing: null,
    }); // prettier-ignore
    expect(of(body, 'invoices')).toMatchObject({
      keep: 'P8Y', default: 'P8Y', adjustable: true, floor: { atLeast: 'P8Y', ground: expect.stringContaining('§ 147') },
    }); // prettier-ignore
    expect(of(body, 'integrations')).toMatchObject({ adjustable: false, after: null, keep: null });
    expect(of(body, 'users')).toBeUndefined();
    expect(body).toMatchObject({
      auditLog: { keep: 'P36M', default: 'P36M', floor: { atLeast: 'P30D' } },
      subscriptionEnded: 'keep',
      nextSweepAt: null,
    });
  });

  test('a change that shortens counts after 24 hours, not a second earlier', async () => {
    const { status, body } = await owner.put<Shown>(path, keeping('P90D'));
    expect(status).toBe(200);
    expect(of(body, 'messages')).toMatchObject({
      keep: null,
      source: 'default',
      pending: { keep: 'P90D', effectiveAt: '2026-11-21T12:00:00.000Z' },
    });
    await pass(24 * HOUR - 1000);
    expect(await messages()).toMatchObject({ keep: null, pending: { keep: 'P90D' } });
    await pass(1000);
    expect(await messages()).toMatchObject({ keep: 'P90D', source: 'workspace', pending: null });
    await pass(1000);
    expect(await messages()).toMatchObject({ keep: 'P90D', pending: null });
  });

  test('one that lengthens counts at once, and takes back a shortening that waits', async () => {
    await owner.put(path, keeping('P30D'));
    expect(await messages()).toMatchObject({ keep: 'P90D', pending: { keep: 'P30D' } });
    await owner.put(path, keeping('P1Y'));
    expect(await messages()).toMatchObject({ keep: 'P1Y', pending: null });
    await pass(25 * HOUR);
    expect(await messages()).toMatchObject({ keep: 'P1Y', pending: null });
  });

  test('the same once more changes nothing, and does not put the time off', async () => {
    await owner.put(path, keeping('P60D'));
    const first = await messages();
    await pass(HOUR);
    const before = (await events()).length;
    expect(of((await owner.put<Shown>(path, keeping('P60D'))).body, 'messages')).toEqual(first);
    expect(await events()).toHaveLength(before);
    await owner.put(path, keeping('P1Y'));
    expect(await messages()).toMatchObject({ keep: 'P1Y', pending: null });
    expect(await events()).toHaveLength(before + 1);
  });

  test('a month may be shorter than 30 days, so that change waits as well', async () => {
    await owner.put(path, keeping('P30D', 'customers'));
    await pass(25 * HOUR);
    await owner.put(path, keeping('P1M', 'customers'));
    expect(of((await owner.get<Shown>(path)).body, 'customers')).toMatchObject({
      keep: 'P30D',
      pending: { keep: 'P1M' },
    });
    await owner.put(path, keeping(null, 'customers'));
    expect(of((await owner.get<Shown>(path)).body, 'customers')).toMatchObject({ keep: null, pending: null });
  });

  test('what is not named stays as it is', async () => {
    await owner.put(path, { auditLog: 'P60D' });
    const { body } = await owner.put<Shown>(path, { subscriptionEnded: 'delete' });
    expect(body).toMatchObject({
      auditLog: { keep: 'P36M', pending: { keep: 'P60D' } },
      subscriptionEnded: 'delete',
    });
    expect(of(body, 'messages')).toMatchObject({ keep: 'P1Y', source: 'workspace' });
    expect((await owner.put<Shown>(path, {})).body).toEqual(body);
  });

  test('each change is an event with old and new', async () => {
    const all = await events();
    expect(all[0]).toEqual({
      targets: [{ type: 'retention', id: 'messages' }],
      metadata: {
        from: { keep: null },
        to: { keep: null, pending: 'P90D', effectiveAt: '2026-11-21T12:00:00.000Z' },
      },
    });
    expect(all.at(-1)).toEqual({
      targets: [{ type: 'retention', id: 'subscriptionEnded' }],
      metadata: { from: 'keep', to: 'delete' },
    });
  });

  test('another workspace has its own', async () => {
    const neighbour = await desk.as('neighbour');
    const { body } = await neighbour.get<Shown>(`/v1/workspaces/${borealis}/retention`);
    expect(of(body, 'messages')).toMatchObject({ keep: null, source: 'default' });
    expect((await neighbour.put(path, keeping('P1D'))).status).toBe(404);
    for (const who of ['member', 'viewer'] as const)
      expect((await (await desk.as(who)).put(path, keeping('P1D'))).status).toBe(403);
  });

  test.each([
    ['no duration', keeping('soon'), 400, 'input.invalid', 'collections.messages.keep'],
    ['hours', keeping('PT1H'), 400, 'input.invalid', 'collections.messages.keep'],
    ['less than nothing', keeping('P-1D'), 400, 'input.invalid', 'collections.messages.keep'],
    ['no length', keeping('P'), 400, 'input.invalid', 'collections.messages.keep'],
    [
      'a hundred thousand years of days',
      keeping('P36500000D'),
      400,
      'input.invalid',
      'collections.messages.keep',
    ],
    [
      'more collections than a map has',
      { collections: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`c${n}`, { keep: 'P1Y' }])) },
      400,
      'input.invalid',
      'collections',
    ],
    ['an age of the earth', keeping('P99999Y'), 400, 'input.invalid', 'collections.messages.keep'],
    ['a bare duration', { collections: { messages: 'P1D' } }, 400, 'input.invalid', 'collections.messages'],
    ['an unknown word', { colections: {} }, 400, 'input.invalid', 'colections'],
    ['a list', [], 400, 'input.invalid', ''],
    ['no object', { collections: null }, 400, 'input.invalid', 'collections'],
    [
      'an unknown collection',
      keeping('P1D', 'nothing'),
      422,
      'retention.unknown_collection',
      'collections.nothing.keep',
    ],
    [
      'a prototype’s word',
      keeping('P1D', 'constructor'),
      422,
      'retention.unknown_collection',
      'collections.constructor.keep',
    ],
    [
      'the account’s collection',
      keeping('P1D', 'users'),
      422,
      'retention.unknown_collection',
      'collections.users.keep',
    ],
    [
      'Habeas’s own',
      keeping('P1D', 'habeas_events'),
      422,
      'retention.unknown_collection',
      'collections.habeas_events.keep',
    ],
    [
      'one without a time',
      keeping('P1D', 'integrations'),
      422,
      'retention.not_sweepable',
      'collections.integrations.keep',
    ],
    [
      'less than the law says',
      keeping('P7Y', 'invoices'),
      422,
      'retention.below_floor',
      'collections.invoices.keep',
    ],
    [
      'P0D after a time that every row has',
      keeping('P0D'),
      422,
      'retention.never_open',
      'collections.messages.keep',
    ],
    ['a log of a month', { auditLog: 'P1M' }, 422, 'retention.below_floor', 'auditLog'],
    ['a log of 29 days', { auditLog: 'P29D' }, 422, 'retention.below_floor', 'auditLog'],
    ['a log for ever', { auditLog: null }, 400, 'input.invalid', 'auditLog'],
    ['another end', { subscriptionEnded: 'maybe' }, 400, 'input.invalid', 'subscriptionEnded'],
  ] as const)('%s is refused, and nothing changes', async (_, body, status, code, at) => {
    const before = (await owner.get<Shown>(path)).body;
    const answer = await owner.put(path, body);
    expect(answer).toMatchObject({ status, body: { code, errors: [{ path: at }] } });
    expect((await owner.get<Shown>(path)).body).toEqual(before);
  });

  test('one wrong collection keeps the right ones from being set, and every objection is told', async () => {
    const { status, body } = await owner.put(path, {
      collections: { messages: { keep: 'P5D' }, invoices: { keep: 'P1Y' } },
      auditLog: 'P1D',
    });
    expect(status).toBe(422);
    expect(body.errors).toHaveLength(2);
    expect(await messages()).toMatchObject({ keep: 'P1Y', pending: null });
  });

  test('P0D is for what says that it has ended', async () => {
    const { body } = await owner.put<Shown>(path, keeping('P0D', 'workrooms'));
    expect(of(body, 'workrooms')).toMatchObject({ pending: { keep: 'P0D' } });
  });

  test('two changes at once follow each other: none is lost', async () => {
    await Promise.all([
      owner.put(path, keeping('P2Y')),
      owner.put(path, keeping('P3Y', 'customers')),
      owner.put(path, { auditLog: 'P2Y' }),
    ]);
    const { body } = await owner.get<Shown>(path);
    expect(of(body, 'messages')).toMatchObject({ keep: 'P2Y' });
    expect(of(body, 'customers')).toMatchObject({ pending: { keep: 'P3Y' } });
    expect(body).toMatchObject({ auditLog: { pending: { keep: 'P2Y' } } });
  });

  test('an unsigned caller learns nothing', async () => {
    expect((await desk.anybody().get(path)).status).toBe(401);
  });
});
