import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type ObjectStores, unavailable } from '../../src/storage/object-store.js';
import { WorkspacePurge } from '../../src/dsar/workspace-purge/purge.js';
import { WorkspaceDeletionFulfilment } from '../../src/dsar/workspace-deletion/fulfilment.js';
import { Requests } from '../../src/dsar/requests.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import {
  acme,
  DAY,
  door,
  endOfGrace,
  reached,
  rowsOfHost,
  schedule,
  settled,
  status,
} from './workspace-purge-scene.js';

const certified = async (desk: TestDesk) =>
  (await desk.mails())
    .filter(({ subject }) => /is deleted$/.test(subject ?? ''))
    .map(({ to }) => to?.[0]?.address);

/** Does something just before the n-th transaction of the eraser. */
function beforeBatch(desk: TestDesk, nth: number, act: () => Promise<unknown>): void {
  const { database } = desk.db;
  const within = database.within.bind(database);
  let seen = 0;
  database.within = async (tenancy, work, options) => {
    if ('id' in tenancy.actor && tenancy.actor.id === 'eraser' && ++seen === nth) await act();
    return within(tenancy, work, options);
  };
}

const failureOf = (desk: TestDesk, id: string, code: string) =>
  eventually(
    async () => ((await status(desk, id)).failure as { code?: string } | null)?.code === code,
    25_000,
  ).catch(async (error: unknown) => {
    throw new Error(JSON.stringify(await status(desk, id)), { cause: error });
  });

const expectEndedOnce = async (desk: TestDesk, id: string) => {
  await reached(desk, id, 'fulfilled');
  await settled(desk);
  const told = await certified(desk);
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told).size).toBe(told.length);
  const erasures = await desk.db.behindTheScenes(
    'select 1 from habeas.erasures where job_id = $1 and certificate is not null',
    [id],
  );
  expect(erasures).toHaveLength(1);
  const purged = await desk.db.behindTheScenes(
    `select 1 from habeas.events where tenant_id = $1 and action = 'workspace.purged'`,
    [acme],
  );
  expect(purged).toHaveLength(1);
  expect(await desk.db.behindTheScenes('select 1 from atelier.workspaces where id = $1', [acme])).toEqual([]);
};

describe('a purge', () => {
  let desk: TestDesk;
  let down = false;
  beforeEach(async () => {
    down = false;
    desk = await TestDesk.open({
      stores: (real: ObjectStores) => ({
        bucket: (name) => {
          const bucket = real.bucket(name);
          if (name === 'dsar-exports' || name.endsWith('-ledger')) return bucket;
          const store = Object.create(bucket) as typeof bucket;
          store.remove = (paths) =>
            down ? Promise.reject(unavailable('remove objects')) : bucket.remove(paths);
          return store;
        },
      }),
    });
  });
  afterEach(() => desk.close());

  test('stops at a hold that is placed between two batches, and goes on when it is released', async () => {
    const id = await schedule(desk);
    await settled(desk);
    beforeBatch(desk, 22, () =>
      desk.db.behindTheScenes(
        `insert into habeas.holds (tenant_id, ground, review_on, placed_by, placed_at) values ($1, 'litigation', '2027-06-01', 'test', now())`,
        [acme],
      ),
    );
    await endOfGrace(desk);
    await failureOf(desk, id, 'deletion.held');
    expect((await status(desk, id)).status).toBe('in_progress');
    expect(
      await desk.db.behindTheScenes('select 1 from atelier.workspaces where id = $1', [acme]),
    ).toHaveLength(1);
    await desk.db.behindTheScenes(`update habeas.holds set released_at = now(), released_by = 'test'`);
    desk.clock.advance(DAY);
    await desk.sweep();
    await expectEndedOnce(desk, id);
  }, 90_000);

  test('finds the storage down, keeps the names of the files, and ends when it is back', async () => {
    down = true;
    const id = await schedule(desk);
    await settled(desk);
    await endOfGrace(desk);
    await failureOf(desk, id, 'erasure.files_left');
    const noted = await desk.db.behindTheScenes('select 1 from habeas.erasure_files');
    expect(noted.length).toBeGreaterThan(100);
    expect(await certified(desk)).toEqual([]);
    down = false;
    desk.clock.advance(DAY);
    await desk.sweep();
    await expectEndedOnce(desk, id);
    expect(await desk.db.behindTheScenes('select 1 from habeas.erasure_files')).toEqual([]);
  }, 90_000);

  test('is undone by a cancellation before its first batch: nothing is gone, and nobody is noted', async () => {
    const id = await schedule(desk);
    await settled(desk);
    const before = await rowsOfHost(desk);
    // Plan, steps and counts come first; the first batch has not asked yet.
    const purge = desk.app.get(WorkspacePurge, { strict: false });
    const run = purge.run.bind(purge);
    let cancelled = 0;
    purge.run = async (request) => {
      beforeBatch(desk, 2, async () => {
        cancelled = (await (await desk.as('owner')).delete(door)).status;
      });
      return run(request);
    };
    await endOfGrace(desk);
    await reached(desk, id, 'withdrawn');
    await settled(desk);
    expect([200, 204]).toContain(cancelled);
    expect(await rowsOfHost(desk)).toEqual(before);
    expect(await desk.db.behindTheScenes('select 1 from habeas.workspace_purges')).toEqual([]);
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.erasures where job_sealed is not null'),
    ).toEqual([]);
  }, 90_000);

  /** As an app that nobody has made read-only: real rows, from connections of its own. */
  async function writing(): Promise<() => Promise<void>> {
    // Of a room that stays, or the host's own keys would stop the app by themselves.
    const [room] = await desk.db.behindTheScenes<{ id: string }>(
      'select id from atelier.workrooms where workspace_id <> $1 limit 1',
      [acme],
    );
    const ends = new AbortController();
    const write = async () => {
      const app = new pg.Client({ connectionString: desk.db.ownerUrl });
      await app.connect();
      try {
        while (!ends.signal.aborted) {
          await app.query(
            `insert into atelier.messages (workroom_id, workspace_id, body_sealed, body_nonce, sent_at)
             values ($1, $2, '\\x00', '\\x00', now())`,
            [room?.id, acme],
          );
          await sleep(1);
        }
      } finally {
        await app.end();
      }
    };
    const loop = write();
    // An app that the machine keeps waiting would leave the purge its moment: none of its transactions begins before
    // there is a row again.
    const { database } = desk.db;
    const within = database.within.bind(database);
    const written = `select 1 from atelier.messages where workspace_id = '${acme}' limit 1`;
    database.within = async (tenancy, work, options) => {
      if ('id' in tenancy.actor && tenancy.actor.id === 'eraser')
        await eventually(
          async () => ends.signal.aborted || (await desk.db.behindTheScenes(written)).length > 0,
        );
      return within(tenancy, work, options);
    };
    return async () => {
      ends.abort();
      await loop;
    };
  }

  test('does not end while the app writes on: staff see what to do, and once it is read-only the purge ends', async () => {
    const id = await schedule(desk);
    await settled(desk);
    const stop = await writing();
    await endOfGrace(desk);
    await failureOf(desk, id, 'erasure.rows_came_back')
      .then(() =>
        eventually(async () => {
          desk.clock.advance(DAY);
          await desk.sweep();
          return (await status(desk, id)).status === 'failed';
        }, 60_000),
      )
      .finally(stop);
    const support = await desk.as('support');
    const { items } = (await support.get('/v1/desk/requests?show=stuck')).body;
    expect(items).toMatchObject([{ scope: 'workspace', failure: { code: 'erasure.rows_came_back' } }]);
    expect(items[0].failure.message).toMatch(/messages.*Make the product read-only/);
    expect(await certified(desk)).toEqual([]);
    const retried = await support.post(`/v1/workspaces/${acme}/requests/${id}/retries`);
    expect(retried.status).toBe(201);
    await desk.sweep();
    await expectEndedOnce(desk, id);
    expect(
      await desk.db.behindTheScenes('select 1 from atelier.messages where workspace_id = $1', [acme]),
    ).toEqual([]);
  }, 120_000);

  test('run by two workers at once ends once', async () => {
    const id = await schedule(desk);
    await settled(desk);
    desk.clock.advance(30 * DAY);
    const fulfilment = desk.app.get(WorkspaceDeletionFulfilment, { strict: false });
    await fulfilment.run({ tenant: acme, id: '00000000-0000-4000-8000-000000000000' }).catch(() => undefined);
    const purge = desk.app.get(WorkspacePurge, { strict: false });
    const requests = desk.app.get(Requests, { strict: false });
    const request = await desk.db.database.within(systemTenancy(acme, 'test'), async (tx) =>
      requests.move(tx, await requests.lock(tx, id), 'in_progress', { action: 'request.started' }),
    );
    const ends = await Promise.allSettled([purge.run(request), purge.run(request)]);
    expect(ends.some(({ status: how }) => how === 'fulfilled')).toBe(true);
    await expectEndedOnce(desk, id);
  }, 90_000);
});
