import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { acme, type Crew, crew, type Name, other } from '../identity/host.js';

const controller = `/v1/workspaces/${acme}/controller`;
const empty = {
  ...{ name: null, contact: null, dpo: null, authority: null, establishment: null },
  ...{ approvals: 'auto', adminMayDownload: false },
};
const profile = {
  ...empty,
  name: 'Acme Sentinel GmbH',
  contact: 'privacy@acme.example',
  dpo: 'Dora Sentinel, dpo@acme.example',
  establishment: 'DE',
};

let it: Crew;
beforeAll(async () => {
  it = await crew();
});
afterAll(() => it.close());

const put = (body: object, as: Name = 'owner', at = controller) => it.call('PUT', at, as, body);
interface Change {
  id: string;
  metadata: { changed: string[]; before: object; after: object };
  whole: string;
}
const changes = () =>
  it.db.behindTheScenes<Change>(
    `select id, metadata, e::text as whole from habeas.events e where action = 'controller.changed' order by id`,
  );

describe('the controller profile of a workspace', () => {
  test('is empty at first, and lets parts run by themselves', async () => {
    expect((await it.call('GET', controller, 'member')).body).toEqual(empty);
  });

  test('is replaced whole: what is left out is empty again', async () => {
    expect(await put(profile)).toEqual({ status: 200, body: profile });
    expect((await put({ name: profile.name, approvals: 'approve' })).body).toEqual({
      ...empty,
      name: profile.name,
      approvals: 'approve',
    });
    expect((await it.call('GET', controller, 'support')).body).toMatchObject({
      dpo: null,
      approvals: 'approve',
    });
  });

  test('tells the log what changed: settings in the event, names beside it', async () => {
    const count = (await changes()).length;
    await put(profile);
    const [change] = (await changes()).slice(count);
    expect(change?.metadata).toEqual({
      changed: ['contact', 'dpo', 'establishment', 'approvals'],
      before: { establishment: null, approvals: 'approve' },
      after: { establishment: 'DE', approvals: 'auto' },
    });
    expect(change?.whole).not.toContain('Sentinel');
    const kept = await it.db.behindTheScenes(
      `select value from habeas.event_disclosures where event_id = $1 and path = 'metadata.after.dpo'`,
      [change?.id],
    );
    expect(kept).toEqual([{ value: profile.dpo }]);
  });

  test('written again as it is tells nothing', async () => {
    const before = await changes();
    await put(profile);
    expect(await changes()).toEqual(before);
  });

  test('lets an admin change all but whether admins may download', async () => {
    expect((await put({ ...profile, authority: 'BayLDA' }, 'admin')).status).toBe(200);
    expect(await put({ ...profile, adminMayDownload: true }, 'admin')).toMatchObject({
      status: 403,
      body: { code: 'auth.forbidden' },
    });
    await put({ ...profile, adminMayDownload: true });
    expect((await put({ ...profile, name: 'Acme', adminMayDownload: true }, 'admin')).status).toBe(200);
    expect((await put(profile, 'admin')).status).toBe(403);
    expect((await it.call('GET', controller, 'owner')).body).toMatchObject({
      name: 'Acme',
      adminMayDownload: true,
    });
  });

  test('keeps one of two that are written at once, and tells each change from what was there', async () => {
    const count = (await changes()).length;
    await Promise.all([1, 2, 3, 4].map((n) => put({ name: `Acme ${n}` })));
    const kept = (await it.call('GET', controller, 'owner')).body.name;
    const told = (await changes()).slice(count);
    const last = await it.db.behindTheScenes<{ value: string }>(
      `select value from habeas.event_disclosures where event_id = any ($1) and path = 'metadata.after.name' order by event_id`,
      [told.map(({ id }) => id)],
    );
    expect(told).toHaveLength(4);
    expect(last.map(({ value }) => value)).toContain(kept);
    const before = await it.db.behindTheScenes<{ value: string }>(
      `select value from habeas.event_disclosures where event_id = any ($1) and path = 'metadata.before.name'`,
      [told.map(({ id }) => id)],
    );
    // A chain: every value but the last is what the next change found.
    expect(new Set([...before.map(({ value }) => value), kept]).size).toBe(5);
  });

  test.each<[Name, number]>([
    ['member', 403],
    ['viewer', 403],
    ['support', 403],
    ['neighbour', 404],
  ])('is not for %s to write: %i', async (name, status) => {
    expect((await put(profile, name)).status).toBe(status);
  });

  test('of one workspace is not another’s', async () => {
    expect((await it.call('GET', `/v1/workspaces/${other}/controller`, 'neighbour')).body).toEqual(empty);
  });

  test.each([
    { name: '' },
    { name: 'two\r\nBcc: everybody@acme.example' },
    { name: 'x'.repeat(301) },
    { establishment: 'Germany' },
    { establishment: 'de' },
    { approvals: 'never' },
    { adminMayDownload: 'yes' },
    { region: 'eu' },
  ])('is not %j', async (body) => {
    expect(await put(body)).toMatchObject({ status: 400, body: { code: 'input.invalid' } });
  });
});
