import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { acme, type Crew, crew, type Name, other } from '../identity/host.js';

const residency = `/v1/workspaces/${acme}/residency`;

let it: Crew;
beforeAll(async () => {
  it = await crew();
});
afterAll(() => it.close());

const changes = () =>
  it.db.behindTheScenes<{ tenant_id: string; metadata: object; actor_type: string }>(
    `select tenant_id, metadata, actor_type from habeas.events where action = 'residency.changed' order by id`,
  );

describe('the regions', () => {
  test('are told to whoever signed in', async () => {
    const { status, body } = await it.call('GET', '/v1/regions', 'outsider');
    expect(status).toBe(200);
    expect((body.items as { id: string }[]).map(({ id }) => id)).toEqual([
      'us',
      'eu',
      'me-south',
      'ap-northeast',
    ]);
    expect((await it.call('GET', '/v1/regions')).status).toBe(401);
  });
});

describe('the residency of a workspace', () => {
  test('is the default while nobody has chosen, which is no choice', async () => {
    const { status, body } = await it.call('GET', residency, 'viewer');
    expect(status).toBe(200);
    expect(body).toMatchObject({ region: { id: 'us' }, chosen: false, chosenAt: null });
  });

  test('is chosen by an owner or admin, with an event, and is plainly logical', async () => {
    const { status, body } = await it.call('PUT', residency, 'admin', { region: 'eu' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      region: { id: 'eu', place: 'Frankfurt', defaultJurisdiction: 'EU' },
      chosen: true,
      chosenAt: it.clock.now().toISOString(),
      placement: 'logical',
      explanation: expect.stringMatching(/logical today.*moves no data/) as unknown,
    });
    expect(await changes()).toEqual([
      { tenant_id: acme, actor_type: 'person', metadata: { from: null, to: 'eu' } },
    ]);
  });

  test('chosen again as it is changes nothing and tells nothing', async () => {
    it.clock.advance(60_000);
    const { body } = await it.call('PUT', residency, 'owner', { region: 'eu' });
    expect(new Date(body.chosenAt as string).getTime()).toBeLessThan(it.clock.now().getTime());
    expect(await changes()).toHaveLength(1);
  });

  test('may be chosen to be the default, and that is a choice', async () => {
    const { body } = await it.call('PUT', `/v1/workspaces/${other}/residency`, 'neighbour', { region: 'us' });
    expect(body).toMatchObject({ region: { id: 'us' }, chosen: true });
    expect((await it.call('GET', residency, 'owner')).body).toMatchObject({ region: { id: 'eu' } });
  });

  test.each<[Name, number]>([
    ['member', 403],
    ['viewer', 403],
    ['support', 403],
    ['privacy-lead', 403],
    ['neighbour', 404],
    ['outsider', 404],
  ])('is not for %s to choose: %i', async (name, status) => {
    expect((await it.call('PUT', residency, name, { region: 'me-south' })).status).toBe(status);
    expect((await it.call('GET', residency, 'owner')).body).toMatchObject({ region: { id: 'eu' } });
  });

  test.each([
    {},
    { region: 'mars' },
    { region: 'EU' },
    { region: ['eu'] },
    { region: 'eu', plane: 'main' },
    [],
  ])('is not chosen by %j', async (body) => {
    expect(await it.call('PUT', residency, 'owner', body)).toMatchObject({
      status: 400,
      body: { code: 'input.invalid' },
    });
  });

  test('of the host’s own tenant is read, not chosen', async () => {
    expect((await it.call('GET', `/v1/workspaces/${HOST_TENANT}/residency`, 'privacy-lead')).status).toBe(
      200,
    );
    expect(
      (await it.call('PUT', `/v1/workspaces/${HOST_TENANT}/residency`, 'privacy-lead', { region: 'eu' }))
        .status,
    ).toBe(403);
  });
});
