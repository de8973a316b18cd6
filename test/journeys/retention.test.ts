import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const { acme, borealis } = workspaceIds;
const HOUR = 3_600_000;
const path = `/v1/workspaces/${acme}/retention`;

describe('an owner decides that messages are kept for 90 days', () => {
  let desk: TestDesk;
  let owner: Caller;
  let expected: number;
  beforeAll(async () => {
    desk = await TestDesk.open();
    owner = await desk.as('owner');
    await (await desk.as('neighbour')).get(`/v1/workspaces/${borealis}/retention`);
  });
  afterAll(() => desk.close());

  const pass = async (milliseconds: number) => {
    desk.clock.advance(milliseconds);
    owner = await desk.as('owner');
  };
  const messages = async (workspace: string) =>
    desk.db.behindTheScenes(
      'select t::text as row from atelier.messages t where workspace_id = $1 order by id',
      [workspace],
    );
  const jobs = async () => {
    const [row] = await desk.db.behindTheScenes<{ n: number }>(
      `select count(*)::int as n from habeas_jobs.job where name = 'retention' and data ->> 'tenant' = $1`,
      [acme],
    );
    return row?.n ?? 0;
  };

  test('who has set nothing loses nothing by what the map keeps for eight years', async () => {
    const before = await messages(acme);
    await desk.sweep();
    expect(await messages(acme)).toEqual(before);
  });

  test('sees first what would go', async () => {
    const { status, body } = await owner.get(`${path}/preview?collection=messages&keep=P90D`);
    expect(status).toBe(200);
    expected = body.collections[0].rows;
    expect(expected).toBeGreaterThan(0);
  });

  test('sets it, and for 24 hours nothing happens', async () => {
    const { body } = await owner.put(path, { collections: { messages: { keep: 'P90D' } } });
    expect(body.collections.find((one: any) => one.collection === 'messages').pending).toEqual({
      keep: 'P90D',
      effectiveAt: '2026-11-21T12:00:00.000Z',
    });
    const before = await messages(acme);
    await desk.sweep();
    await pass(24 * HOUR - 1000);
    await desk.sweep();
    expect(await messages(acme)).toEqual(before);
    // It is looked at again when the change counts, and no sooner.
    expect((await owner.get(path)).body.nextSweepAt).toBe('2026-11-21T12:00:00.000Z');
  });

  test('a second later they go, the log tells how many, and the neighbour’s stay', async () => {
    const neighbours = await messages(borealis);
    const before = (await messages(acme)).length;
    await pass(1000);
    // A day has passed: what the preview counts now is what goes now.
    const { body } = await owner.get(`${path}/preview`);
    const preview = body.collections.find((one: any) => one.collection === 'messages');
    expect(preview.rows).toBeGreaterThanOrEqual(expected);
    await desk.sweep();
    const event = await eventually(async () => {
      const { body: log } = await owner.get(`/v1/workspaces/${acme}/events?action=retention.swept`);
      return log.items[0];
    }, 30_000);
    expect(event).toMatchObject({
      actor: { type: 'job', id: 'retention' },
      metadata: { collections: { messages: { rows: preview.rows } } },
    });
    expect((await messages(acme)).length).toBe(before - preview.rows);
    expect(await messages(borealis)).toEqual(neighbours);
  });

  test('within the hour nobody looks again', async () => {
    const before = await jobs();
    await pass(HOUR - 2000);
    await desk.sweep();
    expect(await jobs()).toBe(before);
    await pass(2000);
    await desk.sweep();
    await eventually(async () => (await owner.get(path)).body.lastSweepAt === desk.clock.now().toISOString());
  });

  test('two instances that ring at once look once', async () => {
    await pass(HOUR);
    const before = await jobs();
    const { RetentionSweep } = await import('../../src/deletion/retention/retention.sweep.js');
    const sweep = desk.app.get(RetentionSweep);
    await Promise.all([sweep.run(), sweep.run(), sweep.run()]);
    expect(await jobs()).toBe(before + 1);
    await eventually(async () => (await owner.get(path)).body.lastSweepAt === desk.clock.now().toISOString());
  });
});
