import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { TestDesk } from '../support/desk.js';

const { member } = demoPeople;
const will = { coolingOff: 'PT0S', waiveAccessLock: true };

let desk: TestDesk;
beforeAll(async () => {
  desk = await TestDesk.open();
});
afterAll(() => desk.close());

test('an owner files a member’s deletion with the member’s will in it; it runs when they have confirmed', async () => {
  const owner = await desk.as('owner');
  const requests = `/v1/workspaces/${workspaceIds.acme}/requests`;
  const person = { scope: 'person', subject: { kind: 'user', key: member.userId } };
  const filed = await owner.post(requests, { kind: 'deletion', ...person, ...will });
  expect({ status: filed.status, state: filed.body.status }).toEqual({ status: 201, state: 'verifying' });
  const support = await desk.as('support');
  const seen = await support.get(`${requests}/${filed.body.id}`);
  const told = seen.body.timeline.find(({ action }: { action: string }) => action === 'request.filed');
  expect(told.metadata).toMatchObject({ coolingOff: 'PT0S', waivesAccessLock: true });
  const token = await desk.linkTo(member.mail, 'p');
  await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
  await desk.reached(support, `${requests}/${filed.body.id}`, 'fulfilled');
});

test('so does the desk; and neither goes with an access request', async () => {
  const support = await desk.as('support');
  const owner = await desk.as('owner');
  const letter = { mail: 'somebody@elsewhere.example', channel: 'letter' };
  const filed = await support.post('/v1/desk/requests', { kind: 'deletion', ...letter, ...will });
  expect(filed.status).toBe(201);
  const { timeline } = (await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`)).body;
  const told = timeline.find(({ action }: { action: string }) => action === 'request.filed');
  expect(told.metadata).toMatchObject({ coolingOff: 'PT0S', waivesAccessLock: true });
  for (const term of [{ coolingOff: 'PT0S' }, { waiveAccessLock: true }]) {
    expect((await support.post('/v1/desk/requests', { kind: 'access', ...letter, ...term })).status).toBe(
      400,
    );
    const person = { kind: 'access', scope: 'person', subject: { mail: letter.mail } };
    const answer = await owner.post(`/v1/workspaces/${workspaceIds.acme}/requests`, { ...person, ...term });
    expect(answer.status).toBe(400);
  }
});

describe('the host app, by a token of the host’s own tenant,', () => {
  const account = (workspace: string) => `/v1/workspaces/${workspace}/requests`;
  const person = { kind: 'user', key: demoPeople.viewer.userId };
  const tokenOf = async (
    who: 'owner' | 'neighbour' | 'privacy-lead',
    workspace: string,
    permission: string,
  ) => {
    const answer = await (
      await desk.as(who)
    ).post(`/v1/workspaces/${workspace}/tokens`, { name: 'App', permissions: [permission] });
    expect(answer.status).toBe(201);
    return desk.bearer(answer.body.token);
  };
  const said = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];

  test('files the deletion of a person’s account: they confirm it by mail, and it runs', async () => {
    const host = await tokenOf('privacy-lead', HOST_TENANT, 'requests:write');
    const filing = { kind: 'deletion', scope: 'account', subject: person, ...will, jurisdiction: 'DE' };
    const filed = await host.post(account(HOST_TENANT), filing);
    expect(filed.status).toBe(201);
    expect(filed.body).toMatchObject({
      kind: 'deletion',
      scope: 'account',
      status: 'verifying',
      law: 'gdpr',
    });
    // Whom it is about is nobody's to read before it is proven, nor the host's app's after.
    expect(JSON.stringify(filed.body)).not.toMatch(/@|Viewer/);
    const token = await desk.linkTo(demoPeople.viewer.mail, 'p');
    const now = await desk
      .anybody()
      .post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    expect(now.body).toMatchObject({ state: 'open', scope: 'account' });
    const support = await desk.as('support');
    const done = await desk.reached(support, `${account(HOST_TENANT)}/${filed.body.id}`, 'fulfilled');
    expect(done).toMatchObject({ channel: 'token' });
    const [user] = await desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [person.key],
    );
    expect(user?.email).toMatch(/^deleted-/);
  });

  test('files access by an address, whether anybody is known by it or not: the answer is the same', async () => {
    const host = await tokenOf('privacy-lead', HOST_TENANT, 'requests:write');
    const answers = [];
    for (const mail of [demoPeople.admin.mail, 'nobody.at.all@elsewhere.example']) {
      const { status, body } = await host.post(account(HOST_TENANT), {
        kind: 'access',
        scope: 'account',
        subject: { mail },
      });
      answers.push({ status, state: body.status, members: Object.keys(body).sort() });
    }
    expect(answers[0]).toMatchObject({ status: 201, state: 'verifying' });
    expect(answers[1]).toEqual(answers[0]);
  });

  test('names only people whom the host knows, and accounts only in its own tenant', async () => {
    const host = await tokenOf('privacy-lead', HOST_TENANT, 'requests:write');
    const filing = { kind: 'deletion', scope: 'account', subject: { mail: 'x@elsewhere.example' } };
    const unknown = { ...filing, subject: { kind: 'user', key: '00000000-0000-4000-a000-00000000ffff' } };
    expect(said(await host.post(account(HOST_TENANT), unknown))).toEqual([404, 'subject.not_found']);
    expect(said(await host.post(account(workspaceIds.acme), filing))).toEqual([422, 'request.wrong_scope']);
    for (const other of [
      { ...filing, scope: 'person' },
      { kind: 'access', scope: 'workspace' },
    ])
      expect(said(await host.post(account(HOST_TENANT), other))).toEqual([422, 'request.wrong_scope']);
  });

  test('is the only one who may: no owner, no staff, no token of a workspace, none that only reads', async () => {
    const filing = { kind: 'deletion', scope: 'account', subject: { mail: 'x@elsewhere.example' } };
    const own = await tokenOf('owner', workspaceIds.acme, 'requests:write');
    const others = await tokenOf('neighbour', workspaceIds.borealis, 'requests:write');
    const reader = await tokenOf('privacy-lead', HOST_TENANT, 'requests:read');
    const owner = await desk.as('owner');
    const missing = [404, 'workspace.not_found'];
    const forbidden = [403, 'auth.forbidden'];
    for (const caller of [own, others, owner])
      expect(said(await caller.post(account(HOST_TENANT), filing))).toEqual(missing);
    for (const caller of [reader, await desk.as('support'), await desk.as('privacy-lead')])
      expect(said(await caller.post(account(HOST_TENANT), filing))).toEqual(forbidden);
    for (const caller of [own, owner, await desk.as('admin')])
      expect(said(await caller.post(account(workspaceIds.acme), filing))).toEqual(forbidden);
    expect(said(await others.post(account(workspaceIds.acme), filing))).toEqual(missing);
  });
});
