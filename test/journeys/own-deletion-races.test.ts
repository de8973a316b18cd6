import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { AuditLog } from '../../src/audit/events.js';
import { HOST_TENANT, type SubjectRef, systemTenancy } from '../../src/database/tenancy.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';

const HOUR = 3_600_000;
const { member } = demoPeople;
const PT0S = { kind: 'deletion', coolingOff: 'PT0S' };

describe('what happens while a person is erased', () => {
  let desk: TestDesk;
  let me: Caller;
  let elsewhere: pg.Client;

  beforeEach(async () => {
    desk = await TestDesk.open({ work: false });
    me = await desk.as('member');
    elsewhere = new pg.Client({ connectionString: desk.db.ownerUrl });
    await elsewhere.connect();
  });
  afterEach(async () => {
    await elsewhere.end();
    await desk.close();
  });

  const run = (id: string, tenant = HOST_TENANT) => desk.app.get(DeletionFulfilment).run({ tenant, id });
  const rowOf = async (id: string) => {
    const [row] = await desk.db.behindTheScenes<{
      status: string;
      outcome: string;
      failure: { code: string } | null;
    }>('select status, outcome, failure from habeas.requests where id = $1', [id]);
    return row;
  };
  const messages = async () =>
    desk.db.behindTheScenes<{ id: string }>(
      'select * from atelier.messages where author_id = $1 order by id',
      [member.userId],
    );
  const users = () => desk.db.behindTheScenes('select * from atelier.users where id = $1', [member.userId]);
  /** Somebody else works on these tables, or rows, until they are let go. */
  const locked = async (sql: string, values: unknown[] = []) => {
    await elsewhere.query('begin');
    await elsewhere.query(sql, values);
    return () => elsewhere.query('commit');
  };
  const lockLastMessage = () =>
    locked('select from atelier.messages where author_id = $1 order by id desc limit 1 for update', [
      member.userId,
    ]);
  const allTables =
    'lock table atelier.users, atelier.messages, atelier.memberships, atelier.attachments, atelier.customers, ' +
    'atelier.integrations, atelier.workroom_invitations, atelier.workrooms in exclusive mode';
  const irreversible = () =>
    eventually(async () => {
      const begun = 'select 1 from habeas.erasures where irreversible_at is not null';
      return (await desk.db.behindTheScenes(begun)).length > 0;
    }, 20_000);
  const hold = async (more: object = {}) => {
    const support = await desk.as('support');
    const placed = await support.post(`/v1/workspaces/${workspaceIds.acme}/holds`, {
      subject: { kind: 'user', key: member.userId },
      ground: 'Litigation',
      disclosable: true,
      reviewOn: '2027-01-31',
      ...more,
    });
    expect(placed.status).toBe(201);
    return () => support.delete(`/v1/workspaces/${workspaceIds.acme}/holds/${placed.body.id}`);
  };
  const noted = () => desk.db.behindTheScenes('select * from habeas.erasure_rows');
  const certified = async () => {
    const [row] = await desk.db.behindTheScenes<{ n: number }>(
      'select count(*)::int as n from habeas.erasures where certificate is not null',
    );
    return row?.n;
  };
  const lettersOfIt = async () => {
    const [row] = await desk.db.behindTheScenes<{ n: number }>(
      `select count(*)::int as n from habeas.outbox where template = 'deletion-done'`,
    );
    return row?.n;
  };

  test('a hold placed after planning stops the run before anything is touched', async () => {
    const before = [await messages(), await users()];
    const { body } = await me.post('/v1/me/requests', PT0S);
    const release = await locked(allTables);
    const running = run(body.id);
    await eventually(async () => (await desk.db.behindTheScenes('select 1 from habeas.erasures')).length > 0);
    const lift = await hold();
    await release();
    await running;
    expect(await rowOf(body.id)).toMatchObject({ status: 'in_progress', failure: { code: 'deletion.held' } });
    expect([await messages(), await users()]).toEqual(before);
    await lift();
    desk.clock.advance(HOUR);
    await run(body.id);
    expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', outcome: 'full' });
  });

  test('a withdrawal between planning and the first batch is in time', async () => {
    const before = [await messages(), await users()];
    const { body } = await me.post('/v1/me/requests', PT0S);
    const release = await locked(allTables);
    const running = run(body.id);
    await eventually(async () => (await desk.db.behindTheScenes('select 1 from habeas.erasures')).length > 0);
    expect((await me.post(`/v1/me/requests/${body.id}/withdrawals`)).status).toBe(201);
    await release();
    await running;
    expect(await rowOf(body.id)).toMatchObject({ status: 'withdrawn' });
    expect([await messages(), await users()]).toEqual(before);
    const [erasure] = await desk.db.behindTheScenes('select job_sealed from habeas.erasures');
    expect(erasure).toEqual({ job_sealed: null });
    expect(await noted()).toEqual([]);
  });

  test('what was noted for a run that is withdrawn is forgotten, also what is being noted at that moment', async () => {
    const { body } = await me.post('/v1/me/requests', PT0S);
    const gate = await Gate.shut(desk.db, 'habeas.erasure_rows', 'insert');
    try {
      const running = run(body.id);
      await gate.reached();
      // The noting is not committed, and the withdrawal does not wait for it.
      expect((await me.post(`/v1/me/requests/${body.id}/withdrawals`)).status).toBe(201);
      await gate.open();
      await running;
    } finally {
      await gate.remove();
    }
    expect(await rowOf(body.id)).toMatchObject({ status: 'withdrawn' });
    expect(await noted()).toEqual([]);
  });

  test('a withdrawal between two batches comes too late, and the run ends as if nothing had been said', async () => {
    const { body } = await me.post('/v1/me/requests', PT0S);
    const release = await lockLastMessage();
    const running = run(body.id);
    await irreversible();
    const answer = await me.post(`/v1/me/requests/${body.id}/withdrawals`);
    expect({ status: answer.status, code: answer.body.code }).toEqual({
      status: 409,
      code: 'request.irreversible',
    });
    await release();
    await running;
    expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', outcome: 'full' });
  });

  test('a hold between two batches keeps what is left, and its refusal lets the rest end', async () => {
    const { body } = await me.post('/v1/me/requests', PT0S);
    const written = (await messages()).length;
    const release = await lockLastMessage();
    const running = run(body.id);
    await irreversible();
    await eventually(async () => (await messages()).length === 1, 20_000);
    await hold({ collection: 'messages' });
    await release();
    await running;
    expect(await rowOf(body.id)).toMatchObject({ status: 'in_progress', failure: { code: 'deletion.held' } });
    expect(await messages()).toHaveLength(1);

    desk.clock.set(`${body.dueOn}T12:00:00Z`);
    desk.clock.advance(-3 * 24 * HOUR);
    const support = await desk.as('support');
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${body.id}`;
    const { preparedRefusal: prepared } = (await support.get(path)).body;
    expect(prepared).toMatchObject({ scope: 'partial', reasons: [{ blocker: 'held' }] });
    expect((await support.post(`${path}/refusals`, { prepared: prepared.id })).status).toBe(201);
    await run(body.id);
    expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', outcome: 'partial' });
    expect(await messages()).toHaveLength(1);
    const { collections } = (await support.get(`${path}/certificate`)).body;
    const rowsOf = (rule: string) =>
      collections.find(
        (one: { collection: string; rule: string }) => one.collection === 'messages' && one.rule === rule,
      )?.rows;
    expect(rowsOf('keep')).toBe(1);
    expect(rowsOf('delete')).toBeGreaterThanOrEqual(written - 1);
  });

  test('two workers on one request erase once: one certificate, one mail, one pseudonym', async () => {
    const { body } = await me.post('/v1/me/requests', PT0S);
    await Promise.all([run(body.id), run(body.id), run(body.id)]);
    if ((await rowOf(body.id))?.status !== 'fulfilled') {
      desk.clock.advance(HOUR);
      await run(body.id);
    }
    expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', outcome: 'full' });
    expect([await certified(), await lettersOfIt()]).toEqual([1, 1]);
    const entries = [];
    for await (const found of desk.app.get(ErasureLedger).entries()) entries.push(found);
    expect(entries).toHaveLength(1);
  });

  test('the account and one workspace’s own request, at the same time: both end, and nothing is left', async () => {
    const account = await me.post('/v1/me/requests', PT0S);
    const person = await me.post('/v1/me/requests', {
      ...PT0S,
      scope: 'person',
      workspaceId: workspaceIds.acme,
    });
    expect([account.status, person.status]).toEqual([201, 201]);
    const both = () => Promise.all([run(account.body.id), run(person.body.id, workspaceIds.acme)]);
    for (let round = 0; round < 4; round++) {
      await both();
      desk.clock.advance(HOUR);
    }
    expect((await rowOf(account.body.id))?.status).toBe('fulfilled');
    expect((await rowOf(person.body.id))?.status).toBe('fulfilled');
    expect(await messages()).toEqual([]);
    expect(await users()).toMatchObject([{ email: expect.stringMatching(/deleted\.invalid$/) }]);
    const named = 'select 1 from habeas.pseudonyms where subject_key = $1';
    expect(await desk.db.behindTheScenes(named, [member.userId])).toEqual([]);
  });

  test('asked again with one more identifier proven: no duplicate, and both end, whichever is first', async () => {
    const hide = `update atelier.customers set email = 'later-' || email where lower(email) = $1`;
    const show = `update atelier.customers set email = substr(email, 7) where lower(email) = 'later-' || $1`;
    await desk.db.behindTheScenes(hide, [member.mail]);
    const fewer = await me.post('/v1/me/requests', PT0S);
    await desk.db.behindTheScenes(show, [member.mail]);
    const more = await me.post('/v1/me/requests', PT0S);
    expect([fewer.status, more.status]).toEqual([201, 201]);
    const kinds = ({ body }: typeof more) => body.subjects.map(({ kind }: SubjectRef) => kind);
    expect(kinds(more).length).toBeGreaterThan(kinds(fewer).length);
    // The same once more is one, whether of fewer or of more.
    expect(await me.post('/v1/me/requests', PT0S)).toMatchObject({
      status: 409,
      body: { code: 'request.duplicate', requestId: more.body.id },
    });
    for (let round = 0; round < 4; round++) {
      await Promise.all([run(more.body.id), run(fewer.body.id)]);
      desk.clock.advance(HOUR);
    }
    for (const { body } of [fewer, more])
      expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', failure: null });
    expect(await messages()).toEqual([]);
    const left = 'select 1 from atelier.customers where lower(email) = $1';
    expect(await desk.db.behindTheScenes(left, [member.mail])).toEqual([]);
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.pseudonyms where subject_key = $1', [
        member.userId,
      ]),
    ).toEqual([]);
  });

  test('what writes of the person while they are searched for, their other request say, has it tried again', async () => {
    const { body } = await me.post('/v1/me/requests', PT0S);
    // The search reads it before the log's pseudonyms, and nothing else of a deletion touches it.
    const release = await locked('lock table habeas.idempotency_keys in access exclusive mode');
    const running = run(body.id);
    const searching = `select 1 from pg_locks where not granted and relation = 'habeas.idempotency_keys'::regclass`;
    await eventually(async () => (await desk.db.behindTheScenes(searching)).length > 0, 20_000);
    const others = `select kind, key from habeas.request_subjects where request_id = $1 and kind <> 'user'`;
    const [other] = await desk.db.behindTheScenes<SubjectRef>(others, [body.id]);
    await desk.db.database.within(systemTenancy(workspaceIds.acme, 'test'), (tx) =>
      desk.app.get(AuditLog, { strict: false }).record(tx, 'request.filed', {
        targets: [{ type: 'request', id: body.id }],
        subjects: other ? [other] : [],
      }),
    );
    await release();
    await running;
    expect(await rowOf(body.id)).toMatchObject({
      status: 'in_progress',
      failure: { code: 'erasure.rows_came_back', message: expect.stringContaining('habeas.pseudonyms') },
    });
    expect([await certified(), await lettersOfIt()]).toEqual([0, 0]);
    desk.clock.advance(HOUR);
    await run(body.id);
    expect(await rowOf(body.id)).toMatchObject({ status: 'fulfilled', outcome: 'full', failure: null });
    expect([await certified(), await lettersOfIt()]).toEqual([1, 1]);
    const named = 'select 1 from habeas.pseudonyms where subject_key = any ($1)';
    expect(await desk.db.behindTheScenes(named, [[member.userId, other?.key]])).toEqual([]);
  });
});
