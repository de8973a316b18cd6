import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { unzip } from './package.js';

describe('a member asks for their data in Settings', () => {
  let desk: TestDesk;
  let member: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    member = await desk.as('member');
  });
  afterAll(() => desk.close());

  test('and gets it: filed, built, mailed, downloaded, whole', async () => {
    const owner = await desk.as('owner');
    await owner.put(`/v1/workspaces/${workspaceIds.acme}/residency`, { region: 'eu' });
    const filed = await member.post('/v1/me/requests', { kind: 'access' });
    expect(filed.status).toBe(201);
    const path = `/v1/me/requests/${filed.body.id}`;
    const done = await desk.reached(member, path, 'fulfilled');
    expect(done.outcome).toBe('full');
    expect(done.parts).toHaveLength(3);

    const token = await desk.linkTo(demoPeople.member.mail, 'd');
    expect((await desk.anybody().get(`/d/${token}`)).status).toBe(200);
    const sentOn = await desk.anybody().post(`/d/${token}`);
    expect(sentOn.status).toBe(303);
    const fetched = await fetch(sentOn.headers.get('location') ?? '');
    const zip = Buffer.from(await fetched.arrayBuffer());
    expect(fetched.status === 200 ? '' : zip.toString()).toBe('');
    const files = await unzip(zip);

    const manifest = JSON.parse(files.get('manifest.json')?.toString() ?? '');
    for (const file of [...manifest.data, ...manifest.files]) {
      const bytes = files.get(file.path) as Buffer;
      expect({
        path: file.path,
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      }).toEqual({
        path: file.path,
        bytes: file.bytes,
        sha256: file.sha256,
      });
      if (file.rows !== undefined) expect(JSON.parse(bytes.toString())).toHaveLength(file.rows);
    }
    // Her address is verified, and she wrote to another workspace as its customer: both are her.
    const [theirs] = await desk.db.behindTheScenes<{ count: string }>(
      `select count(*) from atelier.messages where author_id = $1
         or customer_id in (select id from atelier.customers where lower(email) = $2)`,
      [demoPeople.member.userId, demoPeople.member.mail],
    );
    const messages = manifest.data.find((file: { collection: string }) => file.collection === 'messages');
    expect(messages.rows).toBe(Number(theirs?.count));
    expect(messages.sealedColumns).toEqual(['body_sealed']);
    expect(files.get('index.html')?.toString()).toMatch(/sealed, \d+ bytes/);
    expect(files.get('index.html')?.toString()).toContain('<!doctype html>');
    // Her account has no region of its own; the workspaces it reaches into do.
    expect(manifest.region).toBeNull();
    const inside = done.parts.flatMap(({ workspaceId }: { workspaceId?: string }) => workspaceId ?? []);
    expect(manifest.workspaces.map(({ id }: { id: string }) => id)).toEqual(inside);
    expect(manifest.workspaces).toContainEqual({
      id: workspaceIds.acme,
      name: expect.stringMatching(/Acme/),
      region: { id: 'eu', name: 'European Union' },
    });
    expect(files.get('index.html')?.toString()).toContain('European Union');
  });

  test('an identical request is refused while one is open, and possible again afterwards', async () => {
    const neighbour = await desk.as('neighbour');
    const both = await Promise.all([1, 2].map(() => neighbour.post('/v1/me/requests', { kind: 'deletion' })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    const open = both.find(({ status }) => status === 201)?.body.id;
    expect(both.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'request.duplicate',
      requestId: open,
    });
    expect((await neighbour.post(`/v1/me/requests/${open}/withdrawals`)).status).toBe(201);
    expect((await neighbour.post('/v1/me/requests', { kind: 'deletion' })).status).toBe(201);
  });

  test('nobody else can see it', async () => {
    const { body } = await member.get('/v1/me/requests');
    const id = body.items[0].id;
    for (const other of ['owner', 'viewer', 'neighbour'] as const) {
      expect((await (await desk.as(other)).get(`/v1/me/requests/${id}`)).status).toBe(404);
    }
    const owner = await desk.as('owner');
    const seen = await owner.get(`/v1/workspaces/${demoPeople.owner.workspaceId}/requests/${id}`);
    expect(seen.status).toBe(200);
    expect(seen.body).not.toHaveProperty('parts');
    expect(JSON.stringify(seen.body)).not.toContain(demoPeople.neighbour.workspaceId);
  });
});
