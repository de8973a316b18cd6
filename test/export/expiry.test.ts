import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { ExpirySweep } from '../../src/export/expiry.sweep.js';
import { type ObjectStore, unavailable } from '../../src/storage/object-store.js';
import { type Delivery, delivery, neighbour, type Stored, workspace } from './delivery.js';

const DAY = 86_400_000;
let it_: Delivery;
let sweep: ExpirySweep;
/** Objects that the storage will not let go of. */
const stuck = new Set<string>();

beforeAll(async () => {
  it_ = await delivery((local) => ({ bucket: (name) => stubborn(local.bucket(name)) }));
  sweep = it_.app.get(ExpirySweep);
});
afterAll(() => it_.close());
beforeEach(() => {
  stuck.clear();
  it_.clock.set('2026-11-20T12:00:00Z');
});

const eventsOf = async (id: string) =>
  (await it_.events()).filter(({ targets }) => targets.some((target) => target.id === id));
const begin = (jobId: string) =>
  it_.db.database.within(systemTenancy(workspace, 'test'), async (tx) => {
    const attempt = await it_.packages.begin(tx, jobId, workspace);
    await it_.store.put(attempt.path, Readable.from(['half']), { contentType: 'application/zip' });
    return attempt;
  });
const stored = ({ path }: { path: string }) => it_.store.stat(path);

describe('a package whose time is over', () => {
  test('leaves the bucket and keeps its manifest', async () => {
    const its: Stored = await it_.ready();
    const other = await it_.ready({ tenant: neighbour });
    it_.clock.advance(7 * DAY - 1);
    expect(await sweep.run()).toBe(0);
    expect(await stored(its)).not.toBeNull();

    it_.clock.advance(1);
    expect(await sweep.run()).toBe(2);
    expect([await stored(its), await stored(other)]).toEqual([null, null]);
    expect(await it_.row(its.id)).toMatchObject({
      status: 'expired',
      removed_at: it_.clock.now(),
      manifest: { format: 'habeas-package/1', data: [{ collection: 'messages', rows: 1234 }, {}, {}] },
    });
    expect(await eventsOf(its.id)).toMatchObject([
      { tenant_id: workspace, action: 'package.expired' },
      { tenant_id: workspace, action: 'package.removed' },
    ]);
    expect((await eventsOf(other.id)).map(({ tenant_id }) => tenant_id)).toEqual([neighbour, neighbour]);
  });

  test('is told of once, however often and by however many the bell is rung', async () => {
    const its = await it_.ready();
    it_.clock.advance(7 * DAY);
    await Promise.all([sweep.run(), sweep.run(), sweep.run()]);
    expect(await sweep.run()).toBe(0);
    expect((await eventsOf(its.id)).map(({ action }) => action)).toEqual([
      'package.expired',
      'package.removed',
    ]);
  });

  test('waits for a storage that fails, while the others go', async () => {
    const all = [await it_.ready(), await it_.ready(), await it_.ready()];
    const [, failing] = all as [Stored, Stored, Stored];
    stuck.add(failing.path);
    it_.clock.advance(7 * DAY);
    expect(await sweep.run()).toBe(2);
    expect(await stored(failing)).not.toBeNull();
    expect(await it_.row(failing.id)).toMatchObject({ status: 'expired', removed_at: null });
    expect(it_.log()).toContain(failing.id);

    stuck.clear();
    expect(await sweep.run()).toBe(1);
    expect(await stored(failing)).toBeNull();
    expect((await eventsOf(failing.id)).map(({ action }) => action)).toEqual([
      'package.expired',
      'package.removed',
    ]);
  });

  test('that was ended before its time goes with the next round, and was told of by whoever ended it', async () => {
    const its = await it_.ready();
    await it_.db.database.within(systemTenancy(workspace, 'test'), (tx) =>
      it_.packages.expire(tx, its.jobId),
    );
    expect(await sweep.run()).toBe(1);
    expect(await stored(its)).toBeNull();
    expect((await eventsOf(its.id)).map(({ action }) => action)).toEqual(['package.removed']);
  });
});

describe('an attempt', () => {
  test('that is still being built is never touched', async () => {
    const attempt = await begin(randomUUID());
    it_.clock.advance(400 * DAY);
    await sweep.run();
    expect(await stored(attempt)).not.toBeNull();
    expect(await it_.row(attempt.id)).toMatchObject({ status: 'building', removed_at: null });
  });

  test('whose worker died goes without an event, and the one that took over stays', async () => {
    const jobId = randomUUID();
    const dead = await begin(jobId);
    const alive = await begin(jobId);
    await sweep.run();
    expect(await stored(dead)).toBeNull();
    expect(await stored(alive)).not.toBeNull();
    expect(await eventsOf(dead.id)).toEqual([]);
  });

  test('that was given up is looked after for a day, in case its worker lives and stores late', async () => {
    const jobId = randomUUID();
    const slow = await begin(jobId);
    await begin(jobId);
    expect(await sweep.run()).toBe(0);
    await it_.store.put(slow.path, Readable.from(['late']), { contentType: 'application/zip' });
    it_.clock.advance(DAY);
    expect(await sweep.run()).toBeGreaterThanOrEqual(1);
    expect(await stored(slow)).toBeNull();
    expect(await it_.row(slow.id)).toMatchObject({ removed_at: it_.clock.now() });
  });
});

test('a rebuilt package ends the one before, which keeps when it was ready', async () => {
  const first = await it_.ready();
  const readyAt = (await it_.row(first.id)).ready_at;
  it_.clock.advance(DAY);
  const second = await begin(first.jobId);
  expect(await sweep.run()).toBeGreaterThanOrEqual(1);
  expect(await stored(first)).toBeNull();
  expect(await stored(second)).not.toBeNull();
  expect(await it_.row(first.id)).toMatchObject({ status: 'expired', ready_at: readyAt });
});

/** The real store, but for the objects that are stuck. */
const stubborn = (real: ObjectStore): ObjectStore => ({
  bucket: real.bucket,
  put: (...its) => real.put(...its),
  get: (...its) => real.get(...its),
  stat: (...its) => real.stat(...its),
  list: (...its) => real.list(...its),
  signedUrl: (...its) => real.signedUrl(...its),
  ready: () => real.ready(),
  remove: async (paths) => {
    if (paths.some((path) => stuck.has(path))) throw unavailable('remove an object');
    await real.remove(paths);
  },
});
