import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { download } from './package.js';

const DAY = 86_400_000;
const { acme, borealis } = workspaceIds;

const dayBefore = (date: string, days: number) =>
  new Date(Date.parse(date) - days * DAY).toISOString().slice(0, 10);

describe('a workspace that decides about its part of a request', () => {
  let desk: TestDesk;
  let owner: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    owner = await desk.as('owner');
    expect((await owner.put(`/v1/workspaces/${acme}/controller`, { approvals: 'approve' })).status).toBe(200);
  });
  afterAll(() => desk.close());

  const file = async (person: Caller) => {
    const { status, body } = await person.post('/v1/me/requests', { kind: 'access' });
    expect(status).toBe(201);
    return body;
  };
  const decide = (who: Caller, id: string, decision: string, workspace: string = acme) =>
    who.post(`/v1/workspaces/${workspace}/requests/${id}/approvals`, { decision });
  const logged = async (tenant: string, id: string) =>
    (
      await desk.db.behindTheScenes<{ action: string }>(
        `select action from habeas.events where tenant_id = $1
         and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $2::text)) order by id`,
        [tenant, id],
      )
    ).map(({ action }) => action);

  test('is asked by mail, owners and admins alike, and the request waits', async () => {
    const filed = await file(await desk.as('viewer'));
    expect(filed).toMatchObject({ status: 'scheduled', blockers: [{ code: 'approval.pending' }] });
    await desk.sweep();
    for (const { mail } of [demoPeople.owner, demoPeople.admin]) {
      const asked = await eventually(async () =>
        (await desk.mails()).find(
          ({ to, subject }) => to?.[0]?.address === mail && /waits for your decision/.test(subject ?? ''),
        ),
      );
      // Who asks is on the page behind the sign-in, not in a mail.
      expect(asked.text).not.toMatch(/Vera|vera\.lindqvist/);
      expect(asked.text).toContain(filed.id);
      // An address of the API would answer 401 to whoever clicks on it.
      expect(asked.text).not.toMatch(/https?:/);
    }
    const [{ n }] = (await desk.db.behindTheScenes<{ n: number }>(
      `select count(*)::int as n from atelier.memberships where workspace_id = $1 and role in ('owner', 'admin')`,
      [acme],
    )) as [{ n: number }];
    const asked = async () =>
      (await desk.mails()).filter(({ subject }) => /waits for your decision/.test(subject ?? ''));
    await eventually(async () => (await asked()).length === n);
    expect((await (await desk.as('viewer')).get(`/v1/me/requests/${filed.id}`)).body.status).toBe(
      'scheduled',
    );
  });

  test('sees its own part only, and about whom it decides while it decides', async () => {
    const viewer = await desk.as('viewer');
    const [{ id }] = (await viewer.get('/v1/me/requests')).body.items;
    const part = (await owner.get(`/v1/workspaces/${acme}/requests/${id}`)).body;
    expect(part).toMatchObject({
      policy: 'approve',
      decision: null,
      decideBy: dayBefore(part.dueOn, 4),
      subjects: [{ kind: 'user', key: demoPeople.viewer.userId }],
    });
    expect(part).not.toHaveProperty('parts');
    // Of nobody else's business: not a member's, not a neighbour's.
    expect((await decide(await desk.as('member'), id, 'approved')).status).toBe(403);
    const neighbour = await desk.as('neighbour');
    expect((await decide(neighbour, id, 'approved')).status).toBe(404);
    expect((await decide(neighbour, id, 'approved', borealis)).status).toBe(404);
    expect((await neighbour.get(`/v1/workspaces/${borealis}/requests/${id}`)).status).toBe(404);
  });

  test('does not learn from it who else that person is, in another workspace', async () => {
    // She is a member of Acme, and wrote to Borealis as its customer.
    const member = await desk.as('member');
    const filed = await file(member);
    expect(filed.subjects.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['customer', 'user']);
    const part = (await owner.get(`/v1/workspaces/${acme}/requests/${filed.id}`)).body;
    expect(part.subjects).toEqual([{ kind: 'user', key: demoPeople.member.userId }]);
    expect((await member.post(`/v1/me/requests/${filed.id}/withdrawals`)).status).toBe(201);
  });

  test('approves, and the request runs whole, with the decision in its own log and nowhere else', async () => {
    const viewer = await desk.as('viewer');
    const [{ id }] = (await viewer.get('/v1/me/requests')).body.items;
    const decided = await decide(await desk.as('admin'), id, 'approved');
    expect(decided).toMatchObject({
      status: 201,
      body: { decision: 'approved', decideBy: null, subjects: [] },
    });
    const done = await desk.reached(viewer, `/v1/me/requests/${id}`, 'fulfilled');
    expect(done).toMatchObject({
      outcome: 'full',
      parts: [{ workspaceId: acme, decision: 'approved' }, { scope: 'account' }],
    });
    expect(await decide(owner, id, 'refused')).toMatchObject({
      status: 409,
      body: { code: 'approval.already_decided' },
    });
    expect(await logged(acme, id)).toEqual([
      'request.filed',
      'request.scheduled',
      'part.approved',
      'request.started',
      'request.fulfilled',
    ]);
    expect(await logged(borealis, id)).toEqual([]);
    expect(await logged(HOST_TENANT, id)).toEqual(
      expect.arrayContaining(['request.filed', 'request.fulfilled']),
    );
  });

  test('refuses: its part is left out, named in package and mail, and every sibling goes ahead', async () => {
    // Mira is a member of Acme and a customer of another workspace.
    const member = await desk.as('member');
    const filed = await file(member);
    const siblings = filed.parts.flatMap(({ workspaceId }: { workspaceId?: string }) => workspaceId ?? []);
    expect(siblings).toHaveLength(2);
    expect((await decide(owner, filed.id, 'refused')).status).toBe(201);
    const done = await desk.reached(member, `/v1/me/requests/${filed.id}`, 'fulfilled');
    expect(done.outcome).toBe('partial');
    expect(done.parts).toContainEqual(
      expect.objectContaining({ workspaceId: acme, status: 'fulfilled', outcome: 'partial' }),
    );
    expect(done.parts).toContainEqual(
      expect.objectContaining({ scope: 'account', status: 'fulfilled', outcome: 'full' }),
    );
    const its = await download(desk, await desk.linkTo(demoPeople.member.mail, 'd'));
    expect(its.manifest.leftOut).toEqual([expect.objectContaining({ workspaceId: acme, reason: 'refused' })]);
    const rows = its.rows('messages');
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ workspace_id }) => workspace_id))).toEqual(
      new Set(siblings.filter((workspace: string) => workspace !== acme)),
    );
    const told = (await desk.mails()).find(
      ({ to, subject }) => to?.[0]?.address === demoPeople.member.mail && /ready/.test(subject ?? ''),
    );
    expect(told?.text).toContain('Acme');
  });

  test('never decides: on the last day before the margin its part is left out, because silence never approves', async () => {
    const admin = await desk.as('admin');
    const filed = await file(admin);
    const path = `/v1/me/requests/${filed.id}`;
    // Three days before it is due, by the date of the place.
    const closing = Date.parse(`${filed.dueOn}T00:00:00Z`) - 3 * DAY;
    desk.clock.set(new Date(closing - 12 * 3_600_000));
    await desk.sweep();
    const waiting = await desk.as('admin');
    expect((await waiting.get(path)).body.status).toBe('scheduled');
    desk.clock.set(new Date(closing + 1));
    await desk.sweep();
    const done = await desk.reached(waiting, path, 'fulfilled');
    expect(done.outcome).toBe('partial');
    expect(done.parts).toContainEqual(expect.objectContaining({ workspaceId: acme, decision: 'left_out' }));
    const { manifest } = await download(desk, await desk.linkTo(demoPeople.admin.mail, 'd'));
    expect(manifest.leftOut).toEqual([
      expect.objectContaining({ workspaceId: acme, reason: 'not_decided_in_time' }),
    ]);
    expect(await decide(await desk.as('owner'), filed.id, 'approved')).toMatchObject({ status: 409 });
  });

  test('decides nothing about a request that was withdrawn or refused meanwhile', async () => {
    const [viewer, support] = [await desk.as('viewer'), await desk.as('support')];
    const withdrawn = await file(viewer);
    const gone = await viewer.post(`/v1/me/requests/${withdrawn.id}/withdrawals`);
    expect(gone).toMatchObject({ status: 201, body: { status: 'withdrawn' } });
    const refused = await file(viewer);
    const no = await support.post(`/v1/workspaces/${HOST_TENANT}/requests/${refused.id}/refusals`, {
      ground: 'manifestly_unfounded',
    });
    expect(no).toMatchObject({ status: 201, body: { status: 'refused' } });
    owner = await desk.as('owner');
    for (const { id } of [withdrawn, refused])
      expect(await decide(owner, id, 'approved')).toMatchObject({ status: 409 });
    const seen = (await owner.get(`/v1/workspaces/${acme}/requests/${refused.id}`)).body;
    expect(seen).toMatchObject({ status: 'refused', decision: null, decideBy: null, subjects: [] });
    expect(seen.closedAt).toBe(no.body.closedAt);
    const { items } = (await owner.get(`/v1/workspaces/${acme}/requests`)).body;
    expect(items).toContainEqual(expect.objectContaining({ id: refused.id, closedAt: no.body.closedAt }));
  });

  test('decides about a request for one of its people too, once they proved who they are', async () => {
    const { mail, userId } = demoPeople.viewer;
    const filed = await owner.post(`/v1/workspaces/${acme}/requests`, {
      kind: 'access',
      scope: 'person',
      subject: { kind: 'user', key: userId },
    });
    expect(filed.body).toMatchObject({ status: 'verifying', channel: 'workspace', subjects: [] });
    expect((await decide(owner, filed.body.id, 'approved')).status).toBe(404); // no part before the proof
    await desk.anybody().post(`/p/${await desk.linkTo(mail, 'p')}`, { action: 'confirm' });
    expect((await decide(owner, filed.body.id, 'approved')).status).toBe(201);
    const done = await desk.reached(owner, `/v1/workspaces/${acme}/requests/${filed.body.id}`, 'fulfilled');
    expect(done).toMatchObject({ outcome: 'full', parts: [{ workspaceId: acme, decision: 'approved' }] });
  });
});
