import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { unknownKind } from '../../src/identity/principal.js';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { acme, type Answer, type Crew, crew, missing, type Name, other, people } from './host.js';

let it: Crew;
beforeAll(async () => {
  it = await crew();
});
afterAll(() => it.close());

const inAcme = (what: string) => `/probe/in/${acme}/${what}`;
const principalOf = ({ body }: Answer) => body.principal as Record<string, unknown>;
const tenancyOf = ({ body }: Answer) => body.tenancy as { tenant: string; actor: Record<string, unknown> };

describe('who calls', () => {
  test('need not be known on a public address', async () => {
    expect((await it.call('GET', '/probe/open')).status).toBe(200);
    expect((await it.call('GET', '/probe/open', { bearer: 'rubbish' })).status).toBe(200);
  });

  test('must be known on every other', async () => {
    expect(await it.call('GET', '/probe/own')).toMatchObject({
      status: 401,
      body: { code: 'auth.required' },
    });
  });

  test('may not use an address for which nobody said who may', async () => {
    expect(await it.call('GET', '/probe/undeclared', 'owner')).toMatchObject({
      status: 403,
      body: { code: 'auth.forbidden' },
    });
  });

  test.each([
    '',
    'Bearer',
    'Basic b3duZXI6',
    'Bearer a b',
    'Bearer \u00e9',
    `Bearer ${'a'.repeat(9000)}`,
    'Bearer a.b.c',
  ])('is told nothing but that the credentials are no good: %#', async (authorization) => {
    const { statusCode, body } = await it.app.inject({ url: '/probe/own', headers: { authorization } });
    expect(statusCode).toBe(401);
    expect((JSON.parse(body) as { code: string }).code).toMatch(/^auth\.(token_invalid|required)$/);
  });

  test('is the person of the data map', async () => {
    const answer = await it.call('GET', '/probe/own', 'member');
    expect(principalOf(answer)).toMatchObject({
      type: 'person',
      subject: { kind: 'person', key: people.member.userId },
      known: true,
      name: 'Person 3',
      mail: 'p3@crew.example',
      emailVerified: true,
      authTime: it.clock.now().toISOString(),
      staff: [],
      roles: ['person'],
    });
    expect(tenancyOf(answer)).toMatchObject({
      tenant: HOST_TENANT,
      actor: { type: 'person', subject: { kind: 'person', key: people.member.userId }, name: 'Person 3' },
    });
  });

  test('keeps their key when the host has their row no longer, so that their requests stay theirs', async () => {
    expect(principalOf(await it.call('GET', '/probe/own', 'support'))).toMatchObject({
      subject: { kind: 'person', key: people.support.userId },
      known: false,
      roles: ['person', 'support'],
    });
  });

  test('may hold a claim that is no key of the kind, and is then nobody known', async () => {
    const token = await demoTokens.issue(
      it.home,
      { ...people.member, userId: "' or true --" },
      it.clock.now(),
    );
    expect(principalOf(await it.call('GET', '/probe/own', { bearer: token }))).toMatchObject({
      known: false,
    });
    for (const userId of ['a\u0000b', '\ud800']) {
      const unstorable = await demoTokens.issue(it.home, { ...people.member, userId }, it.clock.now());
      expect((await it.call('GET', '/probe/own', { bearer: unstorable })).status).toBe(401);
    }
    expect(unknownKind).toContain(':');
  });

  test('is signed out when the token has expired', async () => {
    const bearer = await it.tokenOf('member');
    const later = await crewLater(12 * 60 + 1, () => it.call('GET', '/probe/own', { bearer }));
    expect(later).toMatchObject({ status: 401, body: { code: 'auth.token_expired' } });
  });
});

describe('in a workspace', () => {
  const expected: Record<Name, number> = {
    owner: 200,
    admin: 200,
    member: 403,
    viewer: 403,
    neighbour: 404,
    outsider: 404,
    support: 200,
    'privacy-lead': 200,
  };

  test.each(Object.entries(expected))('%s asking for its requests gets %i', async (name, status) => {
    expect((await it.call('GET', inAcme('requests'), name as Name)).status).toBe(status);
  });

  test('a viewer cannot file for the workspace', async () => {
    expect(await it.call('POST', inAcme('requests'), 'viewer')).toMatchObject({
      status: 403,
      body: { code: 'auth.forbidden' },
    });
  });

  test('a stranger cannot tell a foreign workspace from a missing one', async () => {
    const [foreign, absent] = await Promise.all([
      it.call('GET', inAcme('requests'), 'outsider'),
      it.call('GET', `/probe/in/${missing}/requests`, 'outsider'),
    ]);
    const shown = ({ status, body }: Answer) => ({ status, ...body, instance: undefined });
    expect(shown(foreign)).toEqual(shown(absent));
    expect(foreign.body.code).toBe('workspace.not_found');
  });

  test('staff get the same 404 for one that does not exist', async () => {
    expect(await it.call('GET', `/probe/in/${missing}/requests`, 'support')).toMatchObject({
      status: 404,
      body: { code: 'workspace.not_found' },
    });
    const seen = await it.db.behindTheScenes('select from habeas.workspaces where id = $1', [missing]);
    expect(seen).toHaveLength(0);
  });

  test('the work runs in its tenancy, and an address in capitals is the same workspace', async () => {
    const answer = await it.call('GET', `/probe/in/${acme.toUpperCase()}/requests`, 'owner');
    expect(tenancyOf(answer).tenant).toBe(acme);
    expect(principalOf(answer).roles).toEqual(['person', 'owner']);
  });

  test('staff act as staff, unless they are members who may by themselves', async () => {
    expect(tenancyOf(await it.call('GET', inAcme('requests'), 'support')).actor.type).toBe('staff');
    const both = await demoTokens.issue(it.home, { ...people.owner, staff: ['support'] }, it.clock.now());
    const answer = await it.call('GET', inAcme('requests'), { bearer: both });
    expect(tenancyOf(answer).actor.type).toBe('person');
    expect(principalOf(answer).roles).toEqual(['person', 'support', 'owner']);
  });

  test('its directory row appears with the first caller who has to do with it', async () => {
    const rows = () =>
      it.db.behindTheScenes<{ host_key: string }>('select host_key from habeas.workspaces where id = $1', [
        other,
      ]);
    await it.call('GET', `/probe/in/${other}/requests`, 'outsider');
    expect(await rows()).toEqual([]);
    await Promise.all([1, 2, 3].map(() => it.call('GET', `/probe/in/${other}/requests`, 'neighbour')));
    expect(await rows()).toEqual([{ host_key: other }]);
  });

  test('a role that the host takes away is gone with the next call', async () => {
    const { userId } = people.admin;
    const set = (role: string) =>
      it.db.behindTheScenes('update crew.members set role = $1 where person = $2', [role, userId]);
    expect((await it.call('GET', inAcme('requests'), 'admin')).status).toBe(200);
    await set('viewer');
    expect((await it.call('GET', inAcme('requests'), 'admin')).status).toBe(403);
    await set('something else');
    expect((await it.call('GET', inAcme('requests'), 'admin')).status).toBe(404);
    await set('admin');
  });

  test('whoever left the host has no role, even where a membership was left behind', async () => {
    const leave = (at: string | null) =>
      it.db.behindTheScenes('update crew.people set left_at = $1 where id = $2', [at, people.admin.userId]);
    await leave('2026-11-01');
    expect((await it.call('GET', inAcme('requests'), 'admin')).status).toBe(404);
    expect((await it.call('GET', '/probe/own', 'admin')).status).toBe(200);
    await leave(null);
  });

  test('an admin gets the package only after the owner has allowed it', async () => {
    const codes = async () =>
      Promise.all(
        (['owner', 'admin', 'support', 'member'] as const).map(
          async (name) => (await it.call('POST', inAcme('package'), name)).status,
        ),
      );
    expect(await codes()).toEqual([201, 403, 403, 403]);
    await it.call('PUT', `/v1/workspaces/${acme}/controller`, 'owner', { adminMayDownload: true });
    expect(await codes()).toEqual([201, 201, 403, 403]);
    await it.call('PUT', `/v1/workspaces/${acme}/controller`, 'owner', { adminMayDownload: false });
    expect(await codes()).toEqual([201, 403, 403, 403]);
  });

  test('an id that is no uuid is told before anybody is asked', async () => {
    expect((await it.call('GET', '/probe/in/acme/requests', 'owner')).status).toBe(400);
  });
});

describe('outside workspaces', () => {
  test('the desk is for staff', async () => {
    const status = async (name: Name) => (await it.call('GET', '/probe/desk', name)).status;
    expect(await status('support')).toBe(200);
    expect(await status('privacy-lead')).toBe(200);
    expect(await status('owner')).toBe(403);
    expect(tenancyOf(await it.call('GET', '/probe/desk', 'support'))).toMatchObject({
      tenant: HOST_TENANT,
      actor: { type: 'staff' },
    });
  });

  test('the host’s own tenant is the privacy lead’s to run', async () => {
    const tokens = (name: Name) => it.call('GET', `/v1/workspaces/${HOST_TENANT}/tokens`, name);
    expect((await tokens('privacy-lead')).status).toBe(200);
    expect((await tokens('support')).status).toBe(403);
    expect((await tokens('owner')).status).toBe(404);
  });
});

describe('workspaces whose keys are no uuids', () => {
  let clubs: Crew;
  beforeAll(async () => {
    clubs = await crew('integer');
  });
  afterAll(() => clubs.close());

  test('are found by the id made of their key: first through a member, then by all', async () => {
    const { workspaceId } = await import('../../src/datamap/workspace-id.js');
    const club = `/probe/in/${workspaceId('17')}/requests`;
    expect((await clubs.call('GET', club, 'support')).status).toBe(404);
    expect((await clubs.call('GET', club, 'owner')).status).toBe(200);
    expect((await clubs.call('GET', club, 'support')).status).toBe(200);
    expect((await clubs.call('GET', club, 'neighbour')).status).toBe(404);
    const rows = await clubs.db.behindTheScenes('select id, host_key from habeas.workspaces');
    expect(rows).toEqual([{ id: workspaceId('17'), host_key: '17' }]);
  });
});

async function crewLater<T>(minutes: number, work: () => Promise<T>): Promise<T> {
  const before = it.clock.now();
  it.clock.advance(minutes * 60_000);
  try {
    return await work();
  } finally {
    it.clock.set(before);
  }
}
