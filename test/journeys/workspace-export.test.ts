import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { download } from './package.js';

const { acme, borealis } = workspaceIds;

describe('requests that a workspace files', () => {
  let desk: TestDesk;
  let owner: Caller;
  let admin: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    [owner, admin] = [await desk.as('owner'), await desk.as('admin')];
  });
  afterAll(() => desk.close());

  const path = `/v1/workspaces/${acme}/requests`;
  const linksTo = async (mail: string) =>
    (await desk.mails()).filter(
      ({ to, subject }) => to?.[0]?.address === mail && /is ready/.test(subject ?? ''),
    ).length;
  const linksMailed = (mail: string, n: number) => eventually(async () => (await linksTo(mail)) === n);

  describe('for everything of the workspace', () => {
    test('run under the contract, are never due, and hand the owner all of it and nothing of its neighbours', async () => {
      const filed = await owner.post(path, { kind: 'access', scope: 'workspace' });
      expect(filed).toMatchObject({
        status: 201,
        body: {
          scope: 'workspace',
          law: 'contract',
          jurisdiction: null,
          dueOn: null,
          overdue: false,
          subjects: [],
        },
      });
      const done = await desk.reached(owner, `${path}/${filed.body.id}`, 'fulfilled');
      expect(done).toMatchObject({
        outcome: 'full',
        dueOn: null,
        parts: [{ workspaceId: acme, policy: 'auto' }],
      });
      await linksMailed(demoPeople.owner.mail, 1);
      const its = await download(desk, await desk.linkTo(demoPeople.owner.mail, 'd'));
      const [{ n }] = (await desk.db.behindTheScenes<{ n: number }>(
        'select count(*)::int as n from atelier.messages where workspace_id = $1',
        [acme],
      )) as [{ n: number }];
      expect(its.rows('messages')).toHaveLength(n);
      expect(new Set(its.rows('messages').map(({ workspace_id }) => workspace_id))).toEqual(new Set([acme]));
      expect(its.text).not.toContain(borealis);
      expect(its.text).toMatch(/"title": ?"Messages"/);
      expect(its.text).not.toMatch(/Messages you wrote|Your places in workspaces/);
      expect((await owner.get(`${path}/${done.id}/package`)).body).toMatchObject({ status: 'ready' });

      // A letter that bounced after the end is on the desk, until a new one goes out.
      await desk.db.behindTheScenes('update habeas.requests set failure = $2 where id = $1', [
        done.id,
        { code: 'mail.rejected', message: 'The mail "package-for-workspace" could not be delivered.' },
      ]);
      const support = await desk.as('support');
      const stuck = async () => (await support.get('/v1/desk/requests?show=stuck')).body.items;
      expect(await stuck()).toMatchObject([
        { id: done.id, status: 'fulfilled', failure: { code: 'mail.rejected' } },
      ]);
      expect((await support.post(`${path}/${done.id}/package/links`)).body.status).toBe('sent');
      expect(await stuck()).toEqual([]);
      await linksMailed(demoPeople.owner.mail, 2);
    });

    test('filed by an admin: the link goes to an owner, and the admin gets none, until the owner allows it', async () => {
      const filed = await admin.post(path, { kind: 'access', scope: 'workspace' });
      expect(filed.status).toBe(201);
      await desk.reached(admin, `${path}/${filed.body.id}`, 'fulfilled');
      await linksMailed(demoPeople.owner.mail, 3);
      expect(await linksTo(demoPeople.admin.mail)).toBe(0);
      expect((await admin.get(`${path}/${filed.body.id}/package`)).status).toBe(403);
      expect((await admin.post(`${path}/${filed.body.id}/package/links`)).status).toBe(403);

      expect((await admin.put(`/v1/workspaces/${acme}/controller`, { adminMayDownload: true })).status).toBe(
        403,
      );
      expect((await owner.put(`/v1/workspaces/${acme}/controller`, { adminMayDownload: true })).status).toBe(
        200,
      );
      const again = await admin.post(path, { kind: 'access', scope: 'workspace' });
      await desk.reached(admin, `${path}/${again.body.id}`, 'fulfilled');
      await linksMailed(demoPeople.admin.mail, 1);
      expect(await linksTo(demoPeople.owner.mail)).toBe(3);
      expect((await admin.get(`${path}/${again.body.id}/package`)).status).toBe(200);
    });

    test('go to nobody who has lost the role since: an owner gets the next link, and the old ones end', async () => {
      const tokens = async () =>
        (await desk.mails())
          .filter(({ to }) => to?.[0]?.address === demoPeople.owner.mail)
          .flatMap(({ text }) => /\/d\/([A-Za-z0-9_-]{64})/.exec(text ?? '')?.[1] ?? []);
      const earlier = new Set(await tokens());
      const filed = await owner.post(path, { kind: 'access', scope: 'workspace' });
      const newer = async () => (await tokens()).find((token) => !earlier.has(token));
      const old = await eventually(newer);
      const mailed = await linksTo(demoPeople.owner.mail);

      const become = (userId: string, role: string) =>
        desk.db.behindTheScenes(
          'update atelier.memberships set role = $3 where workspace_id = $1 and user_id = $2',
          [acme, userId, role],
        );
      const owners = (await desk.db.behindTheScenes<{ id: string }>(
        `select user_id as id from atelier.memberships where workspace_id = $1 and role = 'owner'`,
        [acme],
      )) as { id: string }[];
      for (const { id } of owners) await become(id, 'viewer');
      const support = await desk.as('support');
      const resend = () => support.post(`${path}/${filed.body.id}/package/links`);
      try {
        expect(await resend()).toMatchObject({ status: 422, body: { code: 'package.address_gone' } });
        await become(demoPeople.viewer.userId, 'owner');
        expect((await resend()).body.status).toBe('sent');
        await linksMailed(demoPeople.viewer.mail, 1);
        expect(await linksTo(demoPeople.owner.mail)).toBe(mailed);
        expect(await desk.anybody().post(`/d/${old}`)).toMatchObject({ body: { code: 'link.revoked' } });
      } finally {
        for (const { id } of owners) await become(id, 'owner');
        await become(demoPeople.viewer.userId, 'viewer');
      }
    });

    test('are refused to members and viewers, and one at a time for the others', async () => {
      for (const person of ['member', 'viewer'] as const)
        expect(
          (await (await desk.as(person)).post(path, { kind: 'access', scope: 'workspace' })).status,
        ).toBe(403);
      expect(
        (await (await desk.as('neighbour')).post(path, { kind: 'access', scope: 'workspace' })).status,
      ).toBe(404);
      const both = await Promise.all(
        [owner, admin].map((who) => who.post(path, { kind: 'access', scope: 'workspace' })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
      const open = both.find(({ status }) => status === 201)?.body.id;
      expect(both.find(({ status }) => status === 409)?.body.requestId).toBe(open);
    });

    test('to delete it are sent the right way', async () => {
      const refused = await owner.post(path, { kind: 'deletion', scope: 'workspace' });
      expect(refused).toMatchObject({ status: 422, body: { code: 'request.use_deletion' } });
      expect(refused.body.detail).toContain(`/v1/workspaces/${acme}/deletion`);
    });
  });

  describe('for one named person', () => {
    const person = async (body: object, who: Caller = owner) =>
      who.post(path, { kind: 'access', scope: 'person', ...body });

    test('wait for that person, who proves who they are and gets what this workspace holds, no other’s', async () => {
      // Anton belongs to Acme and to Borealis.
      const { mail, userId } = demoPeople.admin;
      const filed = await person({
        subject: { kind: 'user', key: userId },
        receivedAt: '2026-11-16T09:00:00Z',
      });
      expect(filed.body).toMatchObject({
        status: 'verifying',
        scope: 'person',
        receivedAt: '2026-11-16T09:00:00.000Z',
      });
      await desk.anybody().post(`/p/${await desk.linkTo(mail, 'p')}`, { action: 'confirm' });
      const done = await desk.reached(owner, `${path}/${filed.body.id}`, 'fulfilled');
      expect(done.parts.map(({ workspaceId }: { workspaceId: string }) => workspaceId)).toEqual([acme]);
      await linksMailed(mail, 2);
      const its = await download(desk, await desk.linkTo(mail, 'd'));
      const [{ n }] = (await desk.db.behindTheScenes<{ n: number }>(
        'select count(*)::int as n from atelier.messages where workspace_id = $1 and author_id = $2',
        [acme, userId],
      )) as [{ n: number }];
      expect(n).toBeGreaterThan(0);
      expect(its.rows('messages')).toHaveLength(n);
      expect(its.text).not.toContain(borealis);
      // The owner sees that it is done, and never what is in it.
      expect(await owner.get(`${path}/${done.id}/package`)).toMatchObject({ status: 403 });
      expect(await owner.post(`${path}/${done.id}/package/links`)).toMatchObject({ status: 403 });
      expect(await owner.post(`${path}/${done.id}/withdrawals`)).toMatchObject({ status: 403 });
    });

    test('by a mail: the answer does not tell whether it is known, here or in another workspace', async () => {
      const answers = [];
      for (const mail of ['who.knows@elsewhere.example', demoPeople.neighbour.mail, demoPeople.member.mail])
        answers.push(await person({ subject: { mail } }));
      const alike = answers.map(({ status, body, headers }) => [
        status,
        headers.get('content-length'),
        JSON.stringify(body)
          .replaceAll(body.id, 'ID')
          .replaceAll(/"(at|receivedAt|filedAt)":"[^"]+"/g, '"$1":"T"'),
      ]);
      expect(alike[1]).toEqual(alike[0]);
      expect(alike[2]).toEqual(alike[0]);
    });

    test('of another workspace, or of nobody, are not found', async () => {
      for (const key of [demoPeople.neighbour.userId, '11111111-1111-4111-8111-111111111111', 'no uuid'])
        expect(await person({ subject: { kind: 'user', key } })).toMatchObject({
          status: 404,
          body: { code: 'subject.not_found' },
        });
      expect((await person({ subject: { kind: 'robot', key: '1' } })).status).toBe(404);
      expect(
        (await person({ subject: { kind: 'guest', key: 'not.invited@elsewhere.example' } })).status,
      ).toBe(404);
    });

    test('come from a host token as well, which reads how they are and gets no package', async () => {
      const made = await owner.post(`/v1/workspaces/${acme}/tokens`, {
        name: 'crm',
        permissions: ['requests:write', 'requests:read'],
      });
      const token = desk.bearer(made.body.token);
      const filed = await person({ subject: { mail: demoPeople.viewer.mail } }, token);
      expect(filed.body).toMatchObject({ status: 'verifying', channel: 'token' });
      expect((await token.get(`${path}/${filed.body.id}`)).status).toBe(200);
      expect((await token.get(`${path}/${filed.body.id}/package`)).status).toBe(403);
      expect((await token.post(`/v1/workspaces/${borealis}/requests`, {})).status).toBe(404);
      expect(
        await person({ subject: { mail: 'a@b.example' }, receivedAt: '2027-01-01T00:00:00Z' }, token),
      ).toMatchObject({ status: 422, body: { code: 'request.received_in_future' } });
    });
  });
});
