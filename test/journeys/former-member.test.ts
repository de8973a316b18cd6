import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formerMember, workspaceIds } from '../../demo/people.js';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { download } from './package.js';

describe('a former member, who belongs to no workspace any more', () => {
  let desk: TestDesk;
  let fergus: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    fergus = desk.bearer(await demoTokens.issue(desk.config.home, formerMember, desk.clock.now()));
  });
  afterAll(() => desk.close());

  test('is no member anywhere, and sees nothing of the workspace', async () => {
    const path = `/v1/workspaces/${workspaceIds.acme}/requests`;
    expect((await fergus.get(path)).status).toBe(404);
    expect((await fergus.post(path, { kind: 'access', scope: 'workspace' })).status).toBe(404);
  });

  test('is told how much is held about them, and gets exactly that', async () => {
    const held = (await fergus.get('/v1/me/data')).body.collections as { name: string; rows: number }[];
    expect(held.find(({ name }) => name === 'messages')?.rows).toBeGreaterThan(0);
    const filed = await fergus.post('/v1/me/requests', { kind: 'access' });
    expect(filed.status).toBe(201);
    await desk.reached(fergus, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    const { manifest } = await download(desk, await desk.linkTo(formerMember.mail, 'd'));
    const inPackage = new Map(manifest.data.map(({ collection, rows }) => [collection, rows]));
    for (const { name, rows } of held) expect([name, inPackage.get(name)]).toEqual([name, rows]);
  });

  test('asks for one workspace’s part alone, where something of theirs is left, and nowhere else', async () => {
    const file = (workspaceId: string) =>
      fergus.post('/v1/me/requests', { kind: 'access', scope: 'person', workspaceId });
    const filed = await file(workspaceIds.acme);
    expect(filed.body).toMatchObject({ scope: 'person', workspaceId: workspaceIds.acme });
    await desk.reached(fergus, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    expect((await fergus.get('/v1/me/requests')).body.items).toHaveLength(2);
    expect(await file(workspaceIds.borealis)).toMatchObject({
      status: 404,
      body: { code: 'workspace.not_found' },
    });
    expect((await file('11111111-1111-4111-8111-111111111111')).status).toBe(404);
  });
});
