import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, formerMember, workspaceIds } from '../../demo/people.js';
import { grantsOf, resources } from '../../src/identity/role-matrix.js';
import { type Role, verbs } from '../../src/identity/roles.js';
import { type Answer, TestDesk } from '../support/desk.js';
import { everybody, type NamedCaller } from './callers.js';
import { type Route, routesOf } from './routes.js';

const { acme, borealis } = workspaceIds;
/** Users of Atelier whom nobody here signs in as. */
let strangers: string[] = [];

/** One call of a route on a real resource, and what those get whom the matrix lets in. */
interface Case {
  route: string;
  what?: string;
  params?: (fixture: Fixture) => Record<string, string>;
  body?: () => unknown;
  /** Statuses for callers whom the matrix lets in; the handler's own rules. */
  admitted: (who: NamedCaller) => number[];
}

interface Fixture {
  /** Of the member, over everything, fulfilled: runs in the host's tenant, with a part in Acme. */
  account: string;
  accountLink: string;
  /** Of the member, in Acme only, fulfilled. */
  person: string;
  personLink: string;
  /** Of the workspace, filed by the owner, fulfilled. */
  workspace: string;
  workspaceLink: string;
  /** Of somebody unknown who wrote to the desk about Acme: not proven. */
  open: string;
  /** The member's deletion of what Acme holds, still cooling off. */
  erasure: string;
  hold: string;
  token: string;
  auditor: string;
  webhook: string;
  /** Somebody's in Borealis. */
  foreign: string;
}

const isMember = ({ name }: NamedCaller) => name === 'member';
const hasAccount = ({ name }: NamedCaller) => !['support', 'privacy-lead'].includes(name);
const always =
  (...statuses: number[]) =>
  () =>
    statuses;
const ownThing =
  (...statuses: number[]) =>
  (who: NamedCaller) =>
    isMember(who) ? statuses : [404];
/** A person's package is nobody's but theirs: owners are told that they may not, support only sends a link on. */
const neverOwners =
  (...statuses: number[]) =>
  ({ name }: NamedCaller) =>
    name === 'support' ? statuses : [403];

const w = '/v1/workspaces/:workspaceId';
const r = `${w}/requests/:requestId`;
const hook = `${w}/webhooks/:webhookId`;
const hooked = ({ webhook }: Fixture) => ({ webhookId: webhook });
/** Nobody is told before something is gone. */
const recipientOf = ({ erasure }: Fixture) => ({ requestId: erasure, name: 'sessions' });
const of = (request: keyof Fixture, link?: keyof Fixture) => (fixture: Fixture) => ({
  requestId: fixture[request],
  ...(link && { linkId: fixture[link] }),
});

const cases: Case[] = [
  { route: 'GET /v1/me/requests', admitted: always(200) },
  {
    route: 'POST /v1/me/requests',
    body: () => ({ kind: 'deletion' }),
    admitted: (who) => (hasAccount(who) ? [201] : [422]),
  },
  { route: 'GET /v1/me/data', admitted: (who) => (hasAccount(who) ? [200] : [422]) },
  { route: 'GET /v1/me/requests/:requestId', params: of('account'), admitted: ownThing(200) },
  {
    route: 'GET /v1/me/requests/:requestId',
    what: 'of the workspace',
    params: of('workspace'),
    admitted: always(404),
  },
  { route: 'GET /v1/me/requests/:requestId/package', params: of('account'), admitted: ownThing(200) },
  { route: 'POST /v1/me/requests/:requestId/package/links', params: of('account'), admitted: ownThing(201) },
  {
    route: 'DELETE /v1/me/requests/:requestId/package/links/:linkId',
    params: of('account', 'accountLink'),
    admitted: ownThing(204),
  },
  { route: 'POST /v1/me/requests/:requestId/withdrawals', params: of('account'), admitted: ownThing(409) },
  {
    route: 'POST /v1/me/requests/:requestId/waivers',
    body: () => ({ lock: 'access' }),
    params: of('erasure'),
    admitted: ownThing(201),
  },
  {
    route: `POST ${r}/waivers`,
    body: () => ({ lock: 'access' }),
    params: of('erasure'),
    admitted: always(201),
  },
  {
    route: 'POST /v1/me/requests/:requestId/verifications',
    body: () => ({ method: 'link' }),
    params: of('account'),
    admitted: ownThing(409),
  },

  { route: 'GET /v1/me/requests/:requestId/plan', params: of('erasure'), admitted: ownThing(200) },
  {
    route: 'GET /v1/me/requests/:requestId/certificate',
    what: 'before there is one',
    params: of('erasure'),
    admitted: ownThing(404),
  },
  {
    route: `GET ${r}/plan`,
    what: 'of a person',
    params: of('erasure'),
    admitted: neverOwners(200),
  },
  {
    route: `GET ${r}/certificate`,
    what: 'of a person, before there is one',
    params: of('erasure'),
    admitted: ({ name }) => (['support', 'auditor'].includes(name) ? [404] : [403]),
  },
  {
    route: `POST ${r}/refusals`,
    what: 'that nobody has prepared',
    params: of('erasure'),
    body: () => ({ prepared: '0'.repeat(32) }),
    admitted: always(409),
  },
  { route: 'GET /v1/me/requests/:requestId/recipients', params: of('erasure'), admitted: ownThing(200) },
  { route: `GET ${r}/recipients`, params: of('erasure'), admitted: always(200) },
  { route: `GET ${r}/recipients/:name`, params: recipientOf, admitted: always(404) },
  { route: `POST ${r}/recipients/:name/confirmations`, params: recipientOf, admitted: always(404) },
  { route: `POST ${r}/recipients/:name/attempts`, params: recipientOf, admitted: always(404) },
  { route: `GET ${w}/holds`, admitted: always(200) },
  {
    route: `POST ${w}/holds`,
    body: () => ({
      subject: { kind: 'guest', key: `${randomUUID()}@matrix.example` },
      ground: 'Claim',
      reviewOn: '2027-01-31',
    }),
    admitted: always(201),
  },
  { route: `DELETE ${w}/holds/:holdId`, params: ({ hold }) => ({ holdId: hold }), admitted: always(204) },

  { route: `GET ${w}/requests`, admitted: always(200) },
  {
    route: `POST ${w}/requests`,
    body: () => ({ kind: 'access', scope: 'person', subject: { mail: `${randomUUID()}@matrix.example` } }),
    admitted: always(201),
  },
  {
    route: `POST ${w}/requests`,
    what: 'of an account, which a token of the host alone may',
    body: () => ({ kind: 'deletion', scope: 'account', subject: { mail: `${randomUUID()}@matrix.example` } }),
    admitted: always(403),
  },
  { route: `GET ${r}`, what: 'of a person', params: of('person'), admitted: always(200) },
  { route: `GET ${r}`, what: 'of the workspace', params: of('workspace'), admitted: always(200) },
  { route: `GET ${r}`, what: 'that has a part here', params: of('account'), admitted: always(200) },
  { route: `GET ${r}/package`, what: 'of the workspace', params: of('workspace'), admitted: always(200) },
  { route: `GET ${r}/package`, what: 'of a person', params: of('person'), admitted: neverOwners(200) },
  {
    route: `GET ${r}/package`,
    what: 'of a request that has a part here',
    params: of('account'),
    admitted: always(404),
  },
  {
    route: `POST ${r}/package/links`,
    what: 'of the workspace',
    params: of('workspace'),
    admitted: always(201),
  },
  { route: `POST ${r}/package/links`, what: 'of a person', params: of('person'), admitted: neverOwners(201) },
  {
    route: `DELETE ${r}/package/links/:linkId`,
    what: 'of a person',
    params: of('person', 'personLink'),
    admitted: neverOwners(204),
  },
  {
    route: `DELETE ${r}/package/links/:linkId`,
    what: 'of the workspace',
    params: of('workspace', 'workspaceLink'),
    admitted: always(204),
  },
  {
    route: `POST ${r}/approvals`,
    params: of('account'),
    body: () => ({ decision: 'approved' }),
    admitted: always(409),
  },
  {
    route: `POST ${r}/verifications`,
    params: of('open'),
    body: () => ({ method: 'link' }),
    admitted: always(201),
  },
  {
    route: `POST ${r}/extensions`,
    params: of('open'),
    body: () => ({ reason: 'Much of it.' }),
    admitted: always(201),
  },
  {
    route: `POST ${r}/pauses`,
    params: of('open'),
    body: () => ({ reason: 'Who is it?', needed: 'A word.' }),
    admitted: always(201),
  },
  { route: `DELETE ${r}/pauses`, params: of('open'), admitted: always(204) },
  {
    route: `POST ${r}/refusals`,
    params: of('open'),
    body: () => ({ ground: 'no_such_ground' }),
    admitted: always(422),
  },
  { route: `POST ${r}/withdrawals`, what: 'of a person', params: of('person'), admitted: always(403) },
  {
    route: `POST ${r}/withdrawals`,
    what: 'of the workspace',
    params: of('workspace'),
    admitted: always(409),
  },
  { route: `GET ${r}/notes`, params: of('open'), admitted: always(200) },
  {
    route: `POST ${r}/notes`,
    params: of('open'),
    body: () => ({ text: 'Wrote twice.' }),
    admitted: always(201),
  },
  { route: `POST ${r}/retries`, params: of('open'), admitted: always(409) },

  { route: `GET ${w}/retention`, admitted: always(200) },
  { route: `GET ${w}/retention/preview`, admitted: always(200) },
  {
    route: `PUT ${w}/retention`,
    body: () => ({ collections: { messages: { keep: 'P90D' } } }),
    admitted: always(200),
  },
  { route: `GET ${w}/residency`, admitted: always(200) },
  { route: `PUT ${w}/residency`, body: () => ({ region: 'eu' }), admitted: always(200) },
  { route: `GET ${w}/controller`, admitted: always(200) },
  { route: `PUT ${w}/controller`, body: () => ({ name: 'Acme' }), admitted: always(200) },
  { route: `GET ${w}/tokens`, admitted: always(200) },
  {
    route: `POST ${w}/tokens`,
    body: () => ({ name: 'Test', permissions: ['events:read'] }),
    admitted: always(201),
  },
  {
    route: `DELETE ${w}/tokens/:tokenId`,
    params: ({ token }) => ({ tokenId: token }),
    admitted: always(204),
  },
  { route: `GET ${w}/auditors`, admitted: always(200) },
  {
    route: `POST ${w}/auditors`,
    body: () => ({ userId: strangers[0] }),
    admitted: always(201, 409),
  },
  {
    route: `DELETE ${w}/auditors/:auditorId`,
    params: ({ auditor }) => ({ auditorId: auditor }),
    admitted: always(204),
  },
  { route: `GET ${w}/events`, admitted: always(200) },
  {
    route: `POST ${w}/events`,
    body: () => ({ action: 'plan.changed', actor: { type: 'job', id: 'nightly' } }),
    admitted: always(201),
  },
  { route: `GET ${w}/webhooks`, admitted: always(200) },
  {
    route: `POST ${w}/webhooks`,
    body: () => ({ url: 'http://127.0.0.1:9/', types: ['workspace.purged'] }),
    admitted: always(201),
  },
  { route: `GET ${hook}`, params: hooked, admitted: always(200) },
  {
    route: `PUT ${hook}`,
    params: hooked,
    body: () => ({ url: 'http://127.0.0.1:9/', types: ['workspace.purged'] }),
    admitted: always(200),
  },
  { route: `POST ${hook}/secrets`, params: hooked, admitted: always(201) },
  { route: `DELETE ${hook}/suspension`, params: hooked, admitted: always(204) },
  { route: `GET ${hook}/deliveries`, params: hooked, admitted: always(200) },
  { route: `POST ${hook}/deliveries/:deliveryId/attempts`, params: hooked, admitted: always(404) },
  { route: `DELETE ${hook}`, params: hooked, admitted: always(204, 404) },
  { route: 'GET /v1/desk/overdue', admitted: always(200) },
  { route: `GET ${w}/deletion`, admitted: always(200) },
  // Refused for what they say, which is past the matrix: only a workspace's own token has to be the host's.
  {
    route: `POST ${w}/deletion`,
    body: () => ({ reason: 'subscription_ended', explanation: 'It was cancelled.' }),
    admitted: ({ name }) => (name.startsWith('token') ? [403] : [422]),
  },
  {
    route: `DELETE ${w}/deletion`,
    what: 'of a workspace that stays',
    admitted: always(404),
  },
  { route: 'GET /v1/desk/orphaned-workspaces', admitted: always(200) },
  { route: 'GET /v1/regions', admitted: always(200) },
  { route: 'GET /v1/desk/requests', admitted: always(200) },
  {
    route: 'POST /v1/desk/requests',
    body: () => ({ mail: `${randomUUID()}@matrix.example`, channel: 'letter' }),
    admitted: always(201),
  },
];

describe('the role matrix holds over HTTP, for everybody and every route', () => {
  let desk: TestDesk;
  let routes: Route[];
  let callers: NamedCaller[];
  let fixture: Fixture;
  beforeAll(async () => {
    desk = await TestDesk.open();
    routes = routesOf(desk.app);
    const known = [...Object.values(demoPeople), formerMember].map(({ userId }) => userId);
    strangers = (
      await desk.db.behindTheScenes<{ id: string }>(
        'select id from atelier.users where id <> all ($1) limit 2',
        [known],
      )
    ).map(({ id }) => id);
    callers = await everybody(desk);
    fixture = await prepare(desk);
  }, 60_000);
  afterAll(() => desk.close());

  test('every route names a cell of the matrix or says that it is public', () => {
    expect(routes.length).toBeGreaterThan(40);
    for (const { method, path, right, public: open } of routes) {
      const known =
        right !== undefined &&
        (resources as string[]).includes(right.resource) &&
        (verbs as readonly string[]).includes(right.verb);
      expect({ route: `${method} ${path}`, said: open !== known }).toEqual({
        route: `${method} ${path}`,
        said: true,
      });
    }
  });

  test('a route that has no case of its own yet turns away whom the matrix turns away', async () => {
    const tried = new Set(cases.map(({ route }) => route));
    for (const route of routes.filter((one) => !one.public)) {
      const name = `${route.method} ${route.path}`;
      if (tried.has(name)) continue;
      for (const who of callers) {
        const { status } = await send(who, route.method, filled(route.path, { workspaceId: acme }));
        // Nothing is there and nothing is said, so whoever is let in hears of that.
        const expected = expectedOf(who, route, {
          route: name,
          admitted: always(200, 201, 204, 400, 404, 409, 422),
        });
        expect({
          name,
          who: who.name,
          status: expected.includes(status) ? 'as the matrix says' : status,
        }).toEqual({
          name,
          who: who.name,
          status: 'as the matrix says',
        });
      }
    }
    // A case of a route that is gone would test nothing.
    const all = routes.map(({ method, path }) => `${method} ${path}`);
    expect([...tried].filter((name) => !all.includes(name))).toEqual([]);
  });

  test('what is public answers nobody in particular', async () => {
    const open = routes.filter((one) => one.public && one.method === 'GET').map(({ path }) => path);
    expect(open.length).toBeGreaterThan(3);
    for (const path of open) {
      const answer = await desk.anybody().get(path.replace(/:\w+|\*/g, 'x'));
      expect({ path, refused: [401, 500].includes(answer.status) }).toEqual({ path, refused: false });
    }
  });

  test.each(cases.map((one) => [`${one.route}${one.what ? ` ${one.what}` : ''}`, one] as const))(
    '%s',
    async (_, one) => {
      const [method = '', path = ''] = one.route.split(' ');
      const route = routes.find((candidate) => candidate.method === method && candidate.path === path);
      const answers: Record<string, number> = {};
      const expected: Record<string, number[]> = {};
      for (const who of callers) {
        const params: Record<string, string> = { workspaceId: acme, ...one.params?.(fixture) };
        const answer = await send(who, method, filled(path, params), one.body?.());
        expected[who.name] = expectedOf(who, route, one);
        answers[who.name] = answer.status;
        if (answer.status >= 400)
          expect(answer.headers.get('content-type')).toContain('application/problem+json');
        if (answer.status === 403) expect(answer.body.code).toBe('auth.forbidden');
      }
      const wrong = Object.entries(answers).filter(([name, status]) => !expected[name]?.includes(status));
      expect(wrong.map(([name, status]) => ({ name, status, expected: expected[name] }))).toEqual([]);
    },
  );

  test('an admin has the package of the workspace once the owner allows it, and a person’s never', async () => {
    const owner = await desk.as('owner');
    const admin = await desk.as('admin');
    const at = (request: string) => `/v1/workspaces/${acme}/requests/${request}/package`;
    expect((await admin.get(at(fixture.workspace))).status).toBe(403);
    await owner.put(`/v1/workspaces/${acme}/controller`, { adminMayDownload: true });
    expect((await admin.get(at(fixture.workspace))).status).toBe(200);
    expect((await admin.get(at(fixture.person))).status).toBe(403);
    expect(
      (await admin.put(`/v1/workspaces/${acme}/controller`, { adminMayDownload: true, name: 'A' })).status,
    ).toBe(200);
    await owner.put(`/v1/workspaces/${acme}/controller`, {});
    const widened = await admin.put(`/v1/workspaces/${acme}/controller`, { adminMayDownload: true });
    expect(widened.status).toBe(403);
  });

  test('a privacy lead gets counts from the desk, and no request', async () => {
    const lead = callers.find(({ name }) => name === 'privacy-lead')?.caller;
    const { body } = (await lead?.get('/v1/desk/requests')) as Answer;
    expect(body.counts.open).toBeGreaterThan(0);
    expect(body.items).toEqual([]);
  });

  test('foreign and missing ids answer alike, for everybody who may ask (invariant 8)', async () => {
    for (const { method, path } of routes.filter(
      (one) => !one.public && /:(requestId|tokenId|auditorId|webhookId)/.test(one.path),
    )) {
      const body = cases.find(({ route }) => route === `${method} ${path}`)?.body?.();
      const told = async (who: NamedCaller, id: string) => {
        const ids = { requestId: id, tokenId: id, auditorId: id, webhookId: id };
        const asked = filled(path, { workspaceId: acme, linkId: fixture.personLink, ...ids });
        const { status, body: problem } = await send(who, method, asked, body);
        expect([401, 403, 404]).toContain(status);
        return { ...problem, instance: undefined };
      };
      // All at once: nothing changes by it, and one after the other they are more than a thousand waits.
      await Promise.all(
        callers.map(async (who) => {
          const [foreign, missing] = await Promise.all([told(who, fixture.foreign), told(who, randomUUID())]);
          expect(foreign).toEqual(missing);
        }),
      );
    }
    // Still that many calls, on a machine that may be busy with other things.
  }, 90_000);

  test('a workspace that is none of the caller’s business answers as one that is not there', async () => {
    for (const who of callers.filter(({ inAcme, outside }) => inAcme.length === 0 && outside.length > 0)) {
      for (const { method, path } of routes.filter((one) => one.path.startsWith(w))) {
        const body = cases.find(({ route }) => route === `${method} ${path}`)?.body?.();
        const answers = [];
        for (const workspaceId of [acme, randomUUID()]) {
          const ids = {
            ...fixture,
            requestId: fixture.person,
            linkId: fixture.personLink,
            tokenId: fixture.token,
            auditorId: fixture.auditor,
          };
          const { status, body: problem } = await send(
            who,
            method,
            filled(path, { ...ids, workspaceId }),
            body,
          );
          answers.push({ status, ...problem, instance: undefined });
        }
        expect(answers[0]).toMatchObject({ status: 404, code: 'workspace.not_found' });
        expect(answers[1]).toEqual(answers[0]);
      }
    }
  });
});

function expectedOf(who: NamedCaller, route: Route | undefined, { admitted }: Case): number[] {
  if (!route?.right) throw new Error('no such route');
  const inWorkspace = route.path.includes(':workspaceId');
  if (who.outside.length === 0) return [401];
  const roles: readonly Role[] = inWorkspace ? who.inAcme : who.outside;
  if (roles.length === 0) return [404];
  const grants = grantsOf(roles, route.right.resource, route.right.verb);
  // Acme's owner has allowed nothing so far.
  const deciding = [...grants.values()].filter((grant) => grant !== 'if-owner-allows');
  return deciding.length === 0 ? [403] : admitted(who);
}

/** An id that nobody gave is one of nothing. */
const filled = (path: string, params: Record<string, string>) =>
  path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? randomUUID());

function send({ caller }: NamedCaller, method: string, path: string, body: unknown = {}): Promise<Answer> {
  if (method === 'GET') return caller.get(path);
  if (method === 'POST') return caller.post(path, body);
  if (method === 'PUT') return caller.put(path, body);
  return caller.delete(path);
}

async function prepare(desk: TestDesk): Promise<Fixture> {
  const [owner, member, neighbour, support] = [
    await desk.as('owner'),
    await desk.as('member'),
    await desk.as('neighbour'),
    await desk.as('support'),
  ];
  const at = `/v1/workspaces/${acme}`;
  const ok = ({ status, body }: Answer): any => {
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  };
  const account = ok(await member.post('/v1/me/requests', { kind: 'access' })).id;
  const person = ok(
    await member.post('/v1/me/requests', { kind: 'access', scope: 'person', workspaceId: acme }),
  ).id;
  const erasure = ok(
    await member.post('/v1/me/requests', { kind: 'deletion', scope: 'person', workspaceId: acme }),
  ).id;
  const hold = ok(
    await support.post(`${at}/holds`, {
      subject: { kind: 'guest', key: `${randomUUID()}@matrix.example` },
      ground: 'Claim',
      reviewOn: '2027-01-31',
    }),
  ).id;
  const workspace = ok(await owner.post(`${at}/requests`, { kind: 'access', scope: 'workspace' })).id;
  const open = ok(
    await support.post('/v1/desk/requests', {
      mail: 'unknown@matrix.example',
      channel: 'letter',
      workspaceId: acme,
      jurisdiction: 'DE',
    }),
  ).id;
  const foreign = ok(
    await neighbour.post(`/v1/workspaces/${borealis}/requests`, { kind: 'access', scope: 'workspace' }),
  ).id;
  await desk.reached(member, `/v1/me/requests/${account}`, 'fulfilled');
  await desk.reached(member, `/v1/me/requests/${person}`, 'fulfilled');
  await desk.reached(owner, `${at}/requests/${workspace}`, 'fulfilled');
  const linkOf = async (path: string, who = member): Promise<string> =>
    (await who.get(path)).body.links[0].id;
  return {
    account,
    accountLink: await linkOf(`/v1/me/requests/${account}/package`),
    person,
    personLink: await linkOf(`/v1/me/requests/${person}/package`),
    workspace,
    workspaceLink: await linkOf(`${at}/requests/${workspace}/package`, owner),
    open,
    erasure,
    hold,
    token: ok(await owner.post(`${at}/tokens`, { name: 'Gone', permissions: ['events:read'] })).id,
    auditor: ok(await owner.post(`${at}/auditors`, { userId: strangers[1] })).id,
    webhook: ok(
      await owner.post(`${at}/webhooks`, { url: 'http://127.0.0.1:9/', types: ['workspace.purged'] }),
    ).id,
    foreign,
  };
}
