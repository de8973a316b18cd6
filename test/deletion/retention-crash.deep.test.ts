import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { RETENTION, RetentionSweep } from '../../src/deletion/retention/retention.sweep.js';
import { RetentionRun } from '../../src/deletion/retention/run.js';
import { Queue } from '../../src/jobs/queue.js';
import { OBJECT_STORES, type ObjectStores } from '../../src/storage/object-store.js';
import { CrashingWorker } from '../support/crashing-worker.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { RetentionSituation } from './retention-situation.js';

const { acme } = workspaceIds;
const DAY = 86_400_000;
const HOUR = 3_600_000;
const [MESSAGES, FILES] = [2500, 5];

/** Steps of the crash worker at which it dies. */
const places: [name: string, nth: number][] = [
  // The first transaction reads the rules, the second what waits, the third takes the first batch.
  ['retention: before COMMIT', 3], // rows deleted, files noted, nothing of it kept
  ['retention: after COMMIT', 3], // between two batches
  ['store: before files go', 1], // between rows and files
  ['store: files gone, and nobody told', 1],
  ['retention: done, and the queue not told', 1],
];

describe('a worker is killed (kill -9) while it sweeps', () => {
  let desk: TestDesk;
  let situation: RetentionSituation;
  let neighbours: unknown[];
  const workers: CrashingWorker[] = [];
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    situation = new RetentionSituation(desk);
    await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`);
    // So that nothing but what a round writes is over while the clock moves on.
    await situation.keep(acme, 'messages', 'P1D');
    await situation.run(acme);
    await situation.keep(acme, 'messages', 'P30D');
    neighbours = await others();
    boot();
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await desk.close();
  });

  const boot = () => workers.push(CrashingWorker.boot(desk, 'coarse', [RETENTION]));
  const others = () =>
    situation.sql(
      'select md5(string_agg(m::text, $2 order by id)) as sum from atelier.messages m where workspace_id <> $1',
      [acme, ','],
    );
  const store = () => desk.app.get<ObjectStores>(OBJECT_STORES).bucket('crash-files');
  const told = () => situation.told(acme, 'retention.swept');
  const left = () =>
    situation.count(`atelier.messages where workspace_id = $1 and body_nonce = '\\x0c'`, [acme]);

  /** Messages that are over, the first of them with files. */
  const write = async (round: number): Promise<string[]> => {
    const limit = new Date(desk.clock.now().getTime() - 31 * DAY);
    const rows = await situation.sql<{ id: string }>(
      `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
       select r.id, r.workspace_id, $1, '\\x00', '\\x0c', $2::timestamptz - n * interval '1 second'
       from generate_series(1, $4::int) as n, (select * from atelier.workrooms where workspace_id = $3 limit 1) as r
       returning id::text`,
      [demoPeople.member.userId, limit, acme, MESSAGES],
    );
    const paths = Array.from({ length: FILES }, (_, n) => `crash/${round}/${n}`);
    for (const [n, path] of paths.entries()) {
      await store().put(path, Readable.from(['x']), { contentType: 'text/plain' });
      await situation.sql(
        `insert into atelier.attachments (id, message_id, bucket, path, name, media_type, bytes, created_at)
         values (gen_random_uuid(), $1, 'crash-files', $2, 'x', 'text/plain', 1, now())`,
        [rows[n]?.id, path],
      );
    }
    return paths;
  };
  const isDone = async () => {
    const [row] = await situation.sql<{ at: Date | null }>(
      'select last_run_at as at from habeas.retentions where tenant_id = $1',
      [acme],
    );
    return row?.at?.getTime() === desk.clock.now().getTime();
  };
  const enqueue = async () => {
    await situation.sql('delete from habeas_jobs.job');
    desk.clock.advance(HOUR);
    await desk.app.get(RetentionSweep).run();
    await situation.sql(`delete from habeas_jobs.job where data ->> 'tenant' <> $1`, [acme]);
  };
  const killAt = async (name: string, nth: number) => {
    const worker = workers.at(-1) as CrashingWorker;
    boot(); // the next round's, so that it need not be waited for
    await enqueue();
    await worker.work({ name, nth });
    await eventually(() => worker.killed, 60_000);
    await worker.stop();
    expect(worker.lastStep).toBe(name);
  };
  const recover = async () => {
    await enqueue();
    const queue = new Queue(desk.db.database, { onError: () => undefined });
    queue.register(RETENTION, (job) => desk.app.get(RetentionRun).run(job));
    await queue.start();
    try {
      await eventually(isDone, 60_000);
    } finally {
      await queue.stop();
    }
  };
  const expectSweptOnce = async (paths: string[], before: number) => {
    expect(await left()).toBe(0);
    expect(await Promise.all(paths.map((path) => store().stat(path)))).toEqual(paths.map(() => null));
    expect(await situation.count('habeas.erasure_files')).toBe(0);
    const all = await told();
    expect(all.length).toBe(before + 1);
    expect(all[0]).toEqual({
      collections: { messages: { rows: MESSAGES }, attachments: { rows: FILES, files: FILES } },
    });
    expect(await others()).toEqual(neighbours);
  };

  test('wherever it was, another one finishes it: rows and files gone, told once, and nobody else touched', async () => {
    for (const [round, [name, nth]] of places.entries()) {
      const before = (await told()).length;
      const paths = await write(round);
      await killAt(name, nth);
      await recover();
      await expectSweptOnce(paths, before);
    }
  }, 240_000);
});
