import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MAIL_DELIVERY, WORKSPACE_PURGE } from '../../src/dsar/queues.js';
import { WorkspaceDeletionFulfilment } from '../../src/dsar/workspace-deletion/fulfilment.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { Queue } from '../../src/jobs/queue.js';
import { Outbox } from '../../src/mail/outbox.js';
import { CrashingWorker } from '../support/crashing-worker.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { acme, DAY, rowsOfHost, schedule, status } from './workspace-purge-scene.js';

const MINUTE = 60_000;

/** Where it dies; each is a step of the crash worker, with how far into the steps of that name (0 to 1). */
const places: [name: string, share: number][] = [
  ['workspace-purge: after COMMIT', 0],
  ['eraser: after COMMIT', 0.5],
  ['workspace-purge: after COMMIT', 0.5],
  ['store: stored, and nobody told', 0],
  ['workspace-purge: before COMMIT', 1],
  ['mail: sent, and nobody told', 0],
];

describe('a worker is killed (kill -9) while it purges a workspace', () => {
  let desk: TestDesk;
  let workers: CrashingWorker[];
  beforeEach(async () => {
    workers = [];
    desk = await TestDesk.open({ work: false });
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await desk.close();
  });

  const deliverAll = async () => {
    const outbox = desk.app.get(Outbox, { strict: false });
    for await (const mail of outbox.due()) await outbox.deliver(mail);
  };
  const isDone = async (id: string) =>
    (await status(desk, id)).status === 'fulfilled' &&
    (await desk.db.behindTheScenes(`select 1 from habeas.outbox where status = 'pending'`)).length === 0;

  /** Lets a worker purge until it dies. */
  const killAt = async (id: string, n: number): Promise<CrashingWorker> => {
    const worker = CrashingWorker.boot(desk, 'coarse');
    workers.push(worker);
    await desk.db.behindTheScenes('delete from habeas_jobs.job');
    desk.clock.advance(30 * DAY);
    await desk.sweep();
    await worker.work(n);
    await eventually(async () => worker.killed || (await isDone(id)), 2 * MINUTE);
    await worker.stop();
    return worker;
  };

  /** What was queued went down with the worker: what is due is found from our own rows alone. */
  const recover = async (id: string) => {
    await desk.db.behindTheScenes('delete from habeas_jobs.job');
    desk.clock.advance(6 * MINUTE); // a mail in a dead worker's hands is claimed for five
    await desk.sweep();
    const queue = new Queue(desk.db.database, { onError: () => undefined });
    const fulfilment = desk.app.get(WorkspaceDeletionFulfilment, { strict: false });
    queue.register(WORKSPACE_PURGE, (job) => fulfilment.run(job));
    queue.register(MAIL_DELIVERY, async (mail) => {
      await desk.app.get(Outbox, { strict: false }).deliver(mail);
    });
    await queue.start();
    try {
      await eventually(() => isDone(id), MINUTE).catch(async (error: unknown) => {
        throw new Error(JSON.stringify(await status(desk, id)), { cause: error });
      });
    } finally {
      await queue.stop();
    }
  };

  const expectPurgedOnce = async (id: string) => {
    const events = await desk.db.behindTheScenes<{ action: string; n: number }>(
      `select action, count(*)::int as n from habeas.events
       where tenant_id = $1 and action in ('request.irreversible', 'request.fulfilled', 'workspace.purged') group by 1 order by 1`,
      [acme],
    );
    expect(events).toEqual(
      ['request.fulfilled', 'request.irreversible', 'workspace.purged'].map((action) => ({ action, n: 1 })),
    );
    const told = (await desk.mails())
      .filter(({ subject }) => /is deleted$/.test(subject ?? ''))
      .map(({ to }) => to?.[0]?.address);
    expect(told.length).toBeGreaterThan(0);
    expect(new Set(told).size).toBe(told.length);
    const [erasure, ...more] = await desk.db.behindTheScenes<{
      id: string;
      certified: boolean;
      wiped: boolean;
    }>(
      'select id, certificate is not null as certified, job_sealed is null as wiped from habeas.erasures where job_id = $1',
      [id],
    );
    expect([erasure?.certified, erasure?.wiped, more]).toEqual([true, true, []]);
    const entries = [];
    for await (const found of desk.app.get(ErasureLedger, { strict: false }).entries()) entries.push(found);
    expect(entries).toMatchObject([{ entry: { erasureId: erasure?.id, scope: 'workspace' } }]);
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.pseudonyms where tenant_id = $1', [acme]),
    ).toEqual([]);
  };

  test('wherever it was, another one finishes it: one mail an owner, one certificate, one ledger entry, and nobody else touched', async () => {
    const id = await schedule(desk);
    await deliverAll();
    const before = await rowsOfHost(desk);
    const whole = await killAt(id, Number.MAX_SAFE_INTEGER);
    await expectPurgedOnce(id);
    const after = await rowsOfHost(desk);
    expect(after.get('users')).toEqual(before.get('users'));
    const { steps } = whole;
    for (const [name, share] of places) {
      const all = steps.flatMap((step, index) => (step === name ? [index + 1] : []));
      expect({ name, times: all.length }).not.toEqual({ name, times: 0 });
      await desk.close();
      desk = await TestDesk.open({ work: false });
      const again = await schedule(desk);
      await deliverAll();
      const worker = await killAt(again, all[Math.round((all.length - 1) * share)] ?? 0);
      expect(worker.killed).toBe(true);
      await recover(again);
      await expectPurgedOnce(again);
      expect(await rowsOfHost(desk)).toEqual(after);
    }
  }, 400_000);
});
