import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { PackageRebuild } from '../../src/dsar/access/package-rebuild.js';
import { eventually } from '../support/eventually.js';
import { FaultyDesk } from './faulty-desk.js';
import { download } from './package.js';

const DAY = 24 * 60;

describe('a package', () => {
  let faulty: FaultyDesk;
  let id: string;
  beforeAll(async () => {
    faulty = await FaultyDesk.open();
    id = await faulty.file('viewer');
    await faulty.fulfilled(id);
  });
  afterAll(() => faulty.desk.close());

  const links = async () =>
    (await faulty.desk.mails()).flatMap(({ to, text }) =>
      to?.[0]?.address === demoPeople.viewer.mail
        ? (/\/d\/([A-Za-z0-9_-]{64})/.exec(text ?? '')?.[1] ?? [])
        : [],
    );
  const linksMailed = (n: number) => eventually(async () => (await links()).length === n && links());
  const askAgain = async () => (await faulty.desk.as('viewer')).post(`/v1/me/requests/${id}/package/links`);
  const events = async (action: string) =>
    faulty.desk.db.behindTheScenes<{ code: string | null }>(
      `select metadata ->> 'code' as code from habeas.events where tenant_id = $1 and action = $2
       and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $3::text))`,
      [HOST_TENANT, action, id],
    );

  test('holds what Habeas itself keeps about the person: their requests, and what the log says of them', async () => {
    const [token] = (await linksMailed(1)) || [];
    const its = await download(faulty.desk, token ?? '');
    expect(its.rows('requests')).toEqual([
      expect.objectContaining({
        id,
        kind: 'access',
        scope: 'account',
        status: 'in_progress',
        law: expect.any(String),
      }),
    ]);
    const actions = its.rows('audit_events').map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['request.filed', 'request.started']));
    const [filed] = its.rows('audit_events').filter(({ action }) => action === 'request.filed');
    expect(filed?.disclosures).toMatchObject({ 'context.ip': '127.0.0.1' });
  });

  test('is gone from the bucket after its time, and built anew when asked for, with one link, however often the job runs', async () => {
    await faulty.later(8 * DAY);
    expect(await faulty.stored(id)).toEqual([]);
    expect((await askAgain()).body).toMatchObject({ status: 'rebuilding' });
    const [, second] = (await linksMailed(2)) || [];
    await faulty.desk.app.get(PackageRebuild).run({ tenant: HOST_TENANT, id });
    await faulty.desk.sweep();
    expect(await faulty.stored(id)).toHaveLength(1);
    expect(await events('package.rebuilt')).toHaveLength(1);
    expect(await links()).toHaveLength(2);
    const its = await download(faulty.desk, second ?? '');
    expect(its.rows('requests')).toEqual([
      expect.objectContaining({ id, status: 'fulfilled', outcome: 'full' }),
    ]);
  });

  test('past its time is over for people at once, though no sweep has been there yet', async () => {
    const before = (await links()).length;
    faulty.desk.clock.advance(8 * DAY * 60_000);
    expect((await askAgain()).body).toMatchObject({ status: 'rebuilding' });
    await linksMailed(before + 1);
  });

  test('that cannot be built anew says so in the log, keeps the request closed as it was, and is tried again', async () => {
    await faulty.later(8 * DAY);
    faulty.fault = { packages: () => ({ put: () => Promise.reject(new Error('a value 4711')) }) };
    expect((await askAgain()).body).toMatchObject({ status: 'rebuilding' });
    await eventually(async () => (await events('package.rebuild_failed')).length > 0);
    expect((await events('package.rebuild_failed'))[0]).toEqual({ code: 'export.failed' });
    expect(await faulty.standing(id)).toMatchObject({ status: 'fulfilled', attempts: 0 });
    const kept = await eventually(async () => {
      const jobs = await faulty.desk.db.behindTheScenes<{ output: string }>(
        `select output::text from habeas_jobs.job where name = 'package-rebuild' and state = 'retry'`,
      );
      return jobs.length > 0 ? jobs : undefined;
    });
    expect(JSON.stringify(kept)).not.toContain('4711');
    faulty.fault = {};
    // The queue would wait some seconds, longer each time.
    await faulty.desk.db.behindTheScenes(
      `update habeas_jobs.job set start_after = now() where state = 'retry'`,
    );
    await linksMailed(3);
    expect(await events('package.rebuilt')).toHaveLength(2);
  });
});
