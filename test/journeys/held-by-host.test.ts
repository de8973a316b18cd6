import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const HOUR = 3_600_000;
const { acme } = workspaceIds;
const { member } = demoPeople;
const inAcme = { kind: 'deletion', scope: 'person', workspaceId: acme, coolingOff: 'PT0S' };

describe('a person whom the host holds asks one workspace to delete what it has', () => {
  let desk: TestDesk;
  let me: Caller;
  let support: Caller;
  let elsewhere: pg.Client;

  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    elsewhere = new pg.Client({ connectionString: desk.db.ownerUrl });
    await elsewhere.connect();
    await signIn();
  });
  afterAll(async () => {
    await elsewhere.end();
    await desk.close();
  });

  const signIn = async () => {
    [me, support] = [await desk.as('member'), await desk.as('support')];
  };
  const run = (id: string) => desk.app.get(DeletionFulfilment).run({ tenant: acme, id });
  const messages = () =>
    desk.db.behindTheScenes('select * from atelier.messages where author_id = $1 order by id', [
      member.userId,
    ]);
  const holdAt = async (tenant: string, more: object = {}) => {
    const path = `/v1/workspaces/${tenant}/holds`;
    const placed = await support.post(path, {
      subject: { kind: 'user', key: member.userId },
      ground: 'Tax audit 12/26',
      reviewOn: '2027-01-31',
      ...more,
    });
    expect(placed.status).toBe(201);
    return () => support.delete(`${path}/${placed.body.id}`);
  };
  const blockersOf = async (caller: Caller, path: string): Promise<{ code: string; message: string }[]> => [
    ...(await caller.get(path)).body.blockers,
    ...(await caller.get(`${path}/plan`)).body.blockers,
  ];
  const failureOf = async (id: string) => {
    const [row] = await desk.db.behindTheScenes('select status, failure from habeas.requests where id = $1', [
      id,
    ]);
    return row as { status: string; failure: { code: string; message: string } | null };
  };

  test('nothing goes while it is in force, the plan says why, and afterwards everything does', async () => {
    const before = await messages();
    const lift = await holdAt(HOST_TENANT, { disclosable: true });
    const { status, body } = await me.post('/v1/me/requests', inAcme);
    expect(status).toBe(201);
    const mine = `/v1/me/requests/${body.id}`;
    const named = {
      code: 'held',
      message: 'The data has to be kept for now: Tax audit 12/26. This is looked at again on 2027-01-31.',
    };
    expect(await blockersOf(me, mine)).toEqual([named, named]);
    await run(body.id);
    expect((await me.get(mine)).body.status).toBe('scheduled');
    expect(await messages()).toEqual(before);

    desk.clock.set(`${body.dueOn}T12:00:00Z`);
    desk.clock.advance(-3 * 24 * HOUR);
    await signIn();
    await run(body.id);
    const { preparedRefusal } = (await support.get(`/v1/workspaces/${acme}/requests/${body.id}`)).body;
    expect(preparedRefusal).toMatchObject({ scope: 'full', reasons: [{ blocker: 'held' }] });
    const { failure } = await failureOf(body.id);
    expect(failure).toMatchObject({ code: 'deletion.held' });
    expect(JSON.stringify(failure)).not.toContain('Tax audit');
    await lift();
    expect((await me.post(`${mine}/withdrawals`)).status).toBe(201);
  });

  test('an open hold is named although a secret one stands beside it, of which only staff hear', async () => {
    const lifts = [
      await holdAt(HOST_TENANT, { disclosable: true }),
      await holdAt(acme, { disclosable: false, ground: 'Order 4 Gs 7/26' }),
    ];
    const { body } = await me.post('/v1/me/requests', inAcme);
    const mine = `/v1/me/requests/${body.id}`;
    const theirs = await blockersOf(me, mine);
    expect(theirs.map(({ code }) => code)).toEqual(['held', 'held']);
    expect(JSON.stringify(theirs)).toContain('Tax audit 12/26');
    expect(JSON.stringify([theirs, (await me.get(mine)).body])).not.toContain('4 Gs 7/26');
    const staff = await blockersOf(support, `/v1/workspaces/${acme}/requests/${body.id}`);
    for (const ground of ['Tax audit 12/26', 'Order 4 Gs 7/26'])
      expect(staff.filter(({ message }) => message.includes(ground))).toHaveLength(2);
    // Their workspace learns no more than that something is kept.
    const owner = await (await desk.as('owner')).get(`/v1/workspaces/${acme}/requests/${body.id}`);
    expect(owner.body.blockers).toEqual([
      { code: 'held', message: 'The data has to be kept for a legal reason for now.' },
    ]);
    for (const lift of lifts) await lift();
    expect((await me.post(`${mine}/withdrawals`)).status).toBe(201);
  });

  test('a hold that the person may not know of is not hinted at', async () => {
    const lift = await holdAt(HOST_TENANT);
    const { body } = await me.post('/v1/me/requests', inAcme);
    expect(await blockersOf(me, `/v1/me/requests/${body.id}`)).toEqual([]);
    await run(body.id);
    expect((await failureOf(body.id)).status).toBe('scheduled');
    await lift();
    expect((await me.post(`/v1/me/requests/${body.id}/withdrawals`)).status).toBe(201);
  });

  test('placed between two batches it keeps what is left', async () => {
    const { body } = await me.post('/v1/me/requests', inAcme);
    const last = `
      select from atelier.messages where author_id = $1 and workspace_id = $2 order by id desc limit 1 for update`;
    await elsewhere.query('begin');
    await elsewhere.query(last, [member.userId, acme]);
    const running = run(body.id);
    await eventually(async () => {
      const begun = 'select 1 from habeas.erasures where irreversible_at is not null and job_id = $1';
      return (await desk.db.behindTheScenes(begun, [body.id])).length > 0;
    }, 20_000);
    const lift = await holdAt(HOST_TENANT);
    await elsewhere.query('commit');
    await running;
    expect(await failureOf(body.id)).toMatchObject({
      status: 'in_progress',
      failure: { code: 'deletion.held' },
    });
    expect((await messages()).length).toBeGreaterThan(0);
    await lift();
    desk.clock.advance(HOUR);
    await signIn();
    await run(body.id);
    expect((await failureOf(body.id)).status).toBe('fulfilled');
  });
});
