import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { type Recipient } from '../../src/datamap/map.js';
import { type RecipientTask } from '../../src/dsar/recipients/recipient.js';
import { type Attempted, tell } from '../../src/dsar/recipients/call.js';
import { Recipients } from '../../src/dsar/recipients/recipients.js';
import { OverdueWatch } from '../../src/jobs/overdue.js';
import { CrashingWorker } from '../support/crashing-worker.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { declare, hangs, mapWith, Processor, status } from './processor.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const crm = (url: string, { verify }: { verify?: string } = {}) => `
  crm:
    title: Our CRM
    kind: http
    subjects: [user]
    identifiers: [mail]
    call:
      method: POST
      url: "${url}/people/{{subject.mail}}"
      body: { mail: "{{subject.mail}}", "why": ["{{erasure.id}}", 1, null] }
${verify ? `    verify: { url: "${url}/people/{{subject.mail}}", expect: { status: [404] }, within: ${verify} }` : ''}
`;
const paper = `
  paper: { title: On paper, kind: manual, within: P2D }
`;

/** A request that was fulfilled, and what has to be told of it. */
async function erased(desk: TestDesk, mails: string[]): Promise<string> {
  const id = randomUUID();
  const now = desk.clock.now();
  await desk.db.behindTheScenes(
    `insert into habeas.requests (id, tenant_id, kind, scope, status, outcome, channel, received_at, closed_at,
                                  identity_proven_at, filed_by)
     values ($1, $2, 'deletion', 'account', 'fulfilled', 'full', 'settings', $3, $3, $3, 'test')`,
    [id, HOST_TENANT, now],
  );
  await desk.db.database.within(systemTenancy(HOST_TENANT, 'test'), (tx) =>
    desk.app.get(Recipients, { strict: false }).open(
      tx,
      {
        requestId: id,
        tenant: HOST_TENANT,
        erasureId: randomUUID(),
        scope: 'account',
        workspaces: [],
        subjects: mails.map((mail) => ({ kind: 'user', key: randomUUID(), identifiers: { mail } })),
        steps: [{ collection: 'users', rule: 'pseudonymise', rows: 1 }],
      },
      'end',
    ),
  );
  return id;
}

const taskOf = async (desk: TestDesk, request: string) =>
  (
    await desk.db.behindTheScenes<any>(
      `select recipient, status, attempts, failure, facts_sealed is not null as knows, ended_at is not null as ended
       from habeas.recipient_tasks where request_id = $1`,
      [request],
    )
  )[0];

describe('telling a recipient', () => {
  let desk: TestDesk;
  let processor: Processor;
  const sweepUntil = async (request: string, wanted: (task: any) => boolean, minutes = 1) => {
    for (let round = 0; round < 80; round++) {
      const { attempts, status: is } = await taskOf(desk, request);
      if (wanted(await taskOf(desk, request))) return taskOf(desk, request);
      desk.clock.advance(minutes * MINUTE);
      await desk.sweep();
      await eventually(async () => {
        const now = await taskOf(desk, request);
        return now.attempts !== attempts || now.status !== is || now.failure !== null;
      }, 20_000);
    }
    throw new Error(`it never came: ${JSON.stringify(await taskOf(desk, request))}`);
  };
  const ended = (request: string, is: string) =>
    eventually(async () => {
      const task = await taskOf(desk, request);
      return task.status === is && task;
    }, 20_000);
  const path = (request: string) => `/v1/workspaces/${HOST_TENANT}/requests/${request}/recipients`;
  const support = (): Promise<Caller> => desk.as('support');
  const stuck = async () => {
    const { body } = await (await support()).get('/v1/desk/requests?show=stuck&limit=100');
    return body.items as { id: string; failure: { code: string; message: string } }[];
  };

  beforeAll(async () => {
    processor = await Processor.open();
    desk = await TestDesk.open();
    await declare(desk, crm(processor.url));
  });
  afterEach(() => processor.on('POST /', status(204)));
  afterAll(async () => {
    await desk.close();
    await processor.close();
  });

  test('a mail with quotes, braces, line breaks and slashes arrives as it is, at one address only', async () => {
    const mails = [
      'a"b\n\\}]{{secret.CRM}}{{erasure.id}}@x.example',
      '../../admin?all=1#x/%2e%2e/y@x.example',
    ];
    const request = await erased(desk, mails);
    await ended(request, 'told');
    const calls = processor.received.slice(-2);
    expect(calls.map(({ body }) => JSON.parse(body).mail)).toEqual(mails);
    expect(calls.map(({ path: at }) => at)).toEqual(
      mails.map((mail) => `/people/${encodeURIComponent(mail)}`),
    );
    expect(Object.keys(JSON.parse(calls[0]?.body ?? '{}'))).toEqual(['mail', 'why']);
    expect(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
    expect(await taskOf(desk, request)).toMatchObject({ knows: false, ended: true });
  });

  test('a value that the address would read as another place is never sent, and staff see it', async () => {
    const before = processor.received.length;
    const request = await erased(desk, ['..']);
    await ended(request, 'failed');
    expect(processor.received).toHaveLength(before);
    expect(await taskOf(desk, request)).toMatchObject({ failure: 'recipient.value_unusable', attempts: 1 });
  });

  test('one that fails for a while is tried again later, and those who were through are not told twice', async () => {
    processor.on('POST /people/second', status(500));
    const request = await erased(desk, ['first@x.example', 'second@x.example']);
    await eventually(async () => (await taskOf(desk, request)).failure === 'recipient.answered_500');
    processor.on('POST /people/second', status(200));
    await sweepUntil(request, ({ status: is }) => is === 'told', 2);
    expect(processor.to('POST /people/first')).toHaveLength(1);
    expect(processor.to('POST /people/second')).toHaveLength(2);
  });

  test('a redirect is not followed: the data would go where nobody declared', async () => {
    const elsewhere = await Processor.open();
    processor.on('POST /', status(307, { location: `${elsewhere.url}/stolen` }));
    const request = await erased(desk, ['moved@x.example']);
    await eventually(async () => (await taskOf(desk, request)).failure === 'recipient.answered_307');
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });

  test('one that takes the message and hangs is given up for this time', async () => {
    processor.on('POST /', hangs);
    const request = await erased(desk, ['hangs@x.example']);
    await eventually(async () => (await taskOf(desk, request)).failure === 'outgoing.timeout', 25_000);
    expect(await taskOf(desk, request)).toMatchObject({ status: 'open', knows: true });
  }, 40_000);

  test('a plain no goes to the desk in about half an hour; staff have it tried again, and it leaves the desk', async () => {
    processor.on('POST /', status(401));
    const request = await erased(desk, ['refused@x.example']);
    const failed = await sweepUntil(request, ({ status: is }) => is === 'failed', 25);
    expect(failed).toMatchObject({ attempts: 6, failure: 'recipient.answered_401', knows: true });
    const seen = (await stuck()).find(({ id }) => id === request);
    expect(seen?.failure).toEqual({
      code: 'recipient.failed',
      message: 'The recipient “Our CRM” could not be told of the erasure.',
    });
    processor.on('POST /', status(200));
    const retried = await (await support()).post(`${path(request)}/crm/attempts`, {});
    expect({ status: retried.status, is: retried.body.status }).toEqual({ status: 201, is: 'open' });
    expect(await ended(request, 'told')).toMatchObject({ knows: false });
    expect((await stuck()).some(({ id }) => id === request)).toBe(false);
    const again = await (await support()).post(`${path(request)}/crm/attempts`, {});
    expect({ status: again.status, code: again.body.code }).toEqual({
      status: 409,
      code: 'recipient.closed',
    });
  });

  test('two weeks after it failed nobody knows any more whom it was about, and only a person can end it', async () => {
    processor.on('POST /', status(410));
    const request = await erased(desk, ['gone@x.example']);
    await sweepUntil(request, ({ status: is }) => is === 'failed', 25);
    desk.clock.advance(14 * DAY - 1000);
    await desk.sweep();
    expect(await taskOf(desk, request)).toMatchObject({ knows: true });
    desk.clock.advance(1000);
    await desk.sweep();
    expect(await taskOf(desk, request)).toMatchObject({ status: 'failed', knows: false, ended: true });
    expect((await (await support()).post(`${path(request)}/crm/attempts`, {})).status).toBe(409);
    const done = await (await support()).post(`${path(request)}/crm/confirmations`, { note: 'By phone.' });
    expect({ status: done.status, is: done.body.status }).toEqual({ status: 201, is: 'done' });
    expect((await stuck()).some(({ id }) => id === request)).toBe(false);
  });

  test('the oldest that waits is known, and one done by hand that is late is the desk’s, once', async () => {
    await declare(desk, paper);
    const oldest = async () =>
      (await desk.app.get(OverdueWatch, { strict: false }).look()).find(({ kind }) => kind === 'recipient');
    await desk.db.behindTheScenes('delete from habeas.recipient_tasks');
    const request = await erased(desk, ['slow@x.example']);
    desk.clock.advance(2 * DAY - 1000);
    await desk.sweep();
    expect(await oldest()).toMatchObject({ seconds: 0 });
    expect((await stuck()).some(({ id }) => id === request)).toBe(false);
    desk.clock.advance(61_000);
    await desk.sweep();
    await desk.sweep();
    expect(await oldest()).toMatchObject({ seconds: 60 });
    expect((await stuck()).find(({ id }) => id === request)?.failure.code).toBe('recipient.overdue');
    const events = await desk.db.behindTheScenes(
      `select 1 from habeas.events where action = 'recipient.overdue'`,
    );
    expect(events).toHaveLength(1);
    await (await support()).post(`${path(request)}/paper/confirmations`, {});
    expect(await oldest()).toMatchObject({ seconds: 0 });
    expect((await stuck()).some(({ id }) => id === request)).toBe(false);
  });

  test('one that takes it and never says that it is gone is the desk’s after the time that the map gives it', async () => {
    await declare(desk, crm(processor.url, { verify: 'P1D' }));
    const people = 'GET /people/';
    processor.on(people, status(200));
    const request = await erased(desk, ['stays@x.example']);
    await ended(request, 'told');
    expect(await sweepUntil(request, ({ status: is }) => is === 'failed', 200)).toMatchObject({
      failure: 'recipient.answered_200',
      knows: true,
    });
    expect((await stuck()).find(({ id }) => id === request)?.failure.code).toBe('recipient.failed');
    expect(processor.to('POST /people/stays')).toHaveLength(1);
    // Asked a few times, not once a minute.
    expect(processor.to('GET /people/stays').length).toBeLessThan(20);
    await declare(desk, crm(processor.url));
  }, 40_000);

  test('many slow answers end an attempt in time, and the next one goes on where it was', async () => {
    const { recipients } = desk.app.get(HostMap).map;
    const people = ['p1', 'p2', 'p3'].map((name) => ({
      kind: 'user',
      values: { mail: `${name}@x.example` },
    }));
    const around = { reach: 'local', secrets: { CRM: 'x' }, at: new Date(), longest: 0 } as const;
    processor.on('POST /people/p', (response) => setTimeout(() => response.writeHead(204).end(), 20));
    const task = { id: randomUUID(), erasureId: randomUUID(), requestId: randomUUID() } as RecipientTask;
    const seen: Attempted[] = [];
    for (let through = 0; seen.at(-1)?.code !== undefined || seen.length === 0;) {
      const attempted = await tell(task, recipients['crm'] as Recipient, { people, through }, around);
      seen.push(attempted);
      through = attempted.through;
    }
    expect(seen).toEqual([
      { code: 'recipient.unfinished', through: 1 },
      { code: 'recipient.unfinished', through: 2 },
      { through: 0 },
    ]);
    for (const name of ['p1', 'p2', 'p3']) expect(processor.to(`POST /people/${name}`)).toHaveLength(1);
  });

  test('one poisoned task never stops the others, whichever of them are told, late or to be forgotten', async () => {
    await declare(desk, paper);
    const [poisoned, late] = [await erased(desk, ['one@x.example']), await erased(desk, ['two@x.example'])];
    await declare(desk, crm(processor.url));
    processor.on('POST /', status(410));
    const old = await erased(desk, ['three@x.example']);
    await sweepUntil(old, ({ status: is }) => is === 'failed', 25);
    await desk.db.behindTheScenes(`
      create function public.poison() returns trigger language plpgsql as $$ begin
        if old.request_id = '${poisoned}' then raise exception 'poisoned' using errcode = 'XX001'; end if; return new; end $$;
      create trigger poison before update on habeas.recipient_tasks for each row execute function public.poison()`);
    desk.clock.advance(14 * DAY);
    await expect(desk.sweep()).rejects.toBeInstanceOf(AggregateError);
    const isOnDesk = async (request: string) => (await stuck()).some(({ id }) => id === request);
    expect([await isOnDesk(poisoned), await isOnDesk(late)]).toEqual([false, true]);
    expect(await taskOf(desk, old)).toMatchObject({ knows: false, ended: true });
    const { body } = await (await support()).get('/v1/desk/overdue');
    expect(body.stuckRows).toMatchObject([{ work: 'recipients', code: 'XX001' }]);
    await desk.db.behindTheScenes('drop function public.poison() cascade');
    await desk.sweep();
    expect(await isOnDesk(poisoned)).toBe(true);
  });

  test('a recipient that left the map is nobody’s to call', async () => {
    await declare(desk, crm(processor.url));
    processor.on('POST /', status(500));
    const request = await erased(desk, ['left@x.example']);
    await eventually(async () => (await taskOf(desk, request)).failure === 'recipient.answered_500');
    await declare(desk, paper);
    expect(await sweepUntil(request, ({ status: is }) => is === 'failed', 2)).toMatchObject({
      failure: 'recipient.unknown',
    });
  });
});

test('a worker that is killed after the call and before its note of it tells the same thing once more', async () => {
  const processor = await Processor.open();
  const folder = await mkdtemp(join(tmpdir(), 'habeas-recipients-'));
  const file = join(folder, 'datamap.yaml');
  await writeFile(file, await mapWith(crm(processor.url)));
  const desk = await TestDesk.open({ work: false, environment: { DATAMAP: file } });
  const workers = [CrashingWorker.boot(desk, 'coarse'), CrashingWorker.boot(desk, 'coarse')] as const;
  try {
    const request = await erased(desk, ['once@x.example']);
    const [first, second] = workers;
    // claim: before and after COMMIT; the call; its note: before COMMIT.
    await first.work(3);
    await eventually(() => first.killed, 30_000);
    expect(first.lastStep).toBe('recipients: before COMMIT');
    expect(processor.received).toHaveLength(1);
    expect(await taskOf(desk, request)).toMatchObject({ status: 'open', knows: true });
    desk.clock.advance(6 * MINUTE);
    await desk.sweep();
    await second.work(1_000_000);
    await eventually(async () => (await taskOf(desk, request)).status === 'told', 30_000);
    const [one, two, ...more] = processor.received;
    expect(more).toEqual([]);
    expect(two?.headers['idempotency-key']).toBe(one?.headers['idempotency-key']);
    expect(two?.body).toBe(one?.body);
    expect(await taskOf(desk, request)).toMatchObject({ knows: false, ended: true });
  } finally {
    for (const worker of workers) await worker.stop();
    await desk.close();
    await processor.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
