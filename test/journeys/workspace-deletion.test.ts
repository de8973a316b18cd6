import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { WorkspaceDeletionSweep } from '../../src/dsar/workspace-deletion/deletion.sweep.js';
import { OverdueWatch } from '../../src/jobs/overdue.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const SECOND = 1000;
const DAY = 86_400_000;
const { acme, borealis } = workspaceIds;
const at = (workspace: string) => `/v1/workspaces/${workspace}/deletion`;

/** What a workspace is called, as its owner would type it. */
const nameOf = async (desk: TestDesk, workspace: string): Promise<string> =>
  (
    await desk.db.behindTheScenes<{ name: string }>('select name from atelier.workspaces where id = $1', [
      workspace,
    ])
  )[0]?.name ?? '';

/** Subjects of the mails to one address about a workspace that goes, once nothing is on its way any more. */
async function told(desk: TestDesk, mail: string): Promise<string[]> {
  await delivered(desk);
  const theirs = (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === mail));
  return theirs.map(({ subject }) => subject ?? '').filter((subject) => /workspace/.test(subject));
}

const delivered = (desk: TestDesk) =>
  eventually(async () => {
    const busy = `select 1 from habeas.outbox where status = 'pending' limit 1`;
    return (await desk.db.behindTheScenes(busy)).length === 0;
  });

/** Lets what is queued run to its end. */
const settled = (desk: TestDesk) =>
  eventually(async () => {
    const busy = `select 1 from habeas_jobs.job where state in ('created', 'active', 'retry') limit 1`;
    return (await desk.db.behindTheScenes(busy)).length === 0;
  }, 90_000);

/** The workspace's deletion in this state, once it is; a purge walks the whole map, and the machine may be busy. */
const reached = (reader: Caller, workspace: string, status: string): Promise<any> =>
  eventually(async () => {
    const { body } = await reader.get(at(workspace));
    return body.status === status && body;
  }, 90_000);

const rowsOf = async (desk: TestDesk, workspace: string): Promise<number> => {
  const [row] = await desk.db.behindTheScenes<{ n: number }>(
    'select count(*)::int as n from atelier.messages where workspace_id = $1',
    [workspace],
  );
  return row?.n ?? 0;
};

describe('an owner deletes their workspace', () => {
  let desk: TestDesk;
  let owner: Caller;
  let name: string;
  beforeAll(async () => {
    desk = await TestDesk.open();
    owner = await desk.as('owner');
    name = await nameOf(desk, acme);
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [acme, demoPeople.viewer.userId],
    );
    const types = ['workspace.deletion_scheduled', 'workspace.deletion_cancelled'];
    const hook = { url: 'https://hooks.atelier.example/habeas', types };
    expect((await owner.post(`/v1/workspaces/${acme}/webhooks`, hook)).status).toBe(201);
  });
  afterAll(() => desk.close());

  test('nothing is scheduled, and whoever asks is told so', async () => {
    for (const person of ['owner', 'admin', 'member', 'support'] as const) {
      const { status, body } = await (await desk.as(person)).get(at(acme));
      expect({ person, status, said: body.status }).toEqual({ person, status: 200, said: 'none' });
    }
  });

  test('through /requests it answers 422 with the way', async () => {
    const { status, body } = await owner.post(`/v1/workspaces/${acme}/requests`, {
      kind: 'deletion',
      scope: 'workspace',
    });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'request.use_deletion' });
    expect(body.detail).toContain(at(acme));
  });

  test('admins, members, auditors and neighbours may not', async () => {
    const grant = { userId: demoPeople.auditor.userId };
    await owner.post(`/v1/workspaces/${acme}/auditors`, grant);
    for (const person of ['admin', 'member', 'auditor'] as const) {
      const { status, body } = await (await desk.as(person)).post(at(acme), { confirm: name });
      expect({ person, status, code: body.code }).toEqual({ person, status: 403, code: 'auth.forbidden' });
    }
    const neighbour = await desk.as('neighbour');
    for (const answer of [
      await neighbour.post(at(acme), { confirm: name }),
      await neighbour.get(at(acme)),
      await neighbour.delete(at(acme)),
    ])
      expect({ status: answer.status, code: answer.body.code }).toEqual({
        status: 404,
        code: 'workspace.not_found',
      });
  });

  test('another name, no name and a name that is nearly it are refused, and not repeated', async () => {
    for (const confirm of ['Borealis', `${name}!`, name.toLowerCase()]) {
      const { status, body } = await owner.post(at(acme), { confirm });
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'deletion.name_mismatch' });
      expect(body.errors[0].path).toBe('confirm');
      expect(JSON.stringify(body)).not.toContain(name);
    }
    const none = await owner.post(at(acme), {});
    expect({ status: none.status, path: none.body.errors[0].path }).toEqual({ status: 400, path: 'confirm' });
  });

  test('a sign-in of 10 minutes ago is too old', async () => {
    desk.clock.advance(10 * 60 * SECOND);
    const { status, body } = await owner.post(at(acme), { confirm: name });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'auth.stale' });
    expect(body.detail).toContain('sign in again');
    owner = await desk.as('owner');
    expect((await owner.get(at(acme))).body.status).toBe('none');
  });

  test('with the name and a fresh sign-in it is scheduled, for 30 days of 24 hours', async () => {
    const { status, body } = await owner.post(at(acme), { confirm: ` ${name} ` });
    expect(status).toBe(201);
    const end = new Date(desk.clock.now().getTime() + 30 * DAY).toISOString();
    expect(body).toMatchObject({
      status: 'scheduled',
      reason: 'owner_request',
      scheduledAt: desk.clock.now().toISOString(),
      scheduledFor: end,
      cancellable: true,
      cancellableUntil: end,
      blockers: [],
      package: { status: 'none' },
    });
    const request = await owner.get(`/v1/workspaces/${acme}/requests/${body.requestId}`);
    expect(request.body).toMatchObject({
      kind: 'deletion',
      scope: 'workspace',
      status: 'scheduled',
      dueOn: null,
      runAfter: end,
    });
  });

  test('every owner has a mail that says when, and how to keep a copy', async () => {
    for (const { mail } of [demoPeople.owner, demoPeople.viewer])
      expect(await told(desk, mail)).toEqual([`The workspace “${name}” will be deleted`]);
    for (const { mail } of [demoPeople.admin, demoPeople.member]) expect(await told(desk, mail)).toEqual([]);
    const [letter] = (await desk.mails()).filter(({ subject }) => /will be deleted/.test(subject ?? ''));
    expect(letter?.text).toMatch(/sign\s+in\s+where\s+you\s+use\s+the\s+workspace\s+and\s+cancel/);
    // There is no page of it, and an address of the API would answer 401 to whoever clicks on it.
    expect(letter?.text).not.toMatch(/https?:/);
    expect(letter?.text).toMatch(/ask\s+for\s+a\s+copy\s+of\s+the\s+whole\s+workspace/);
  });

  test('members see status and dates for the banner, and neither why nor what is in the way', async () => {
    const { body } = await (await desk.as('member')).get(at(acme));
    expect(body).toMatchObject({ status: 'scheduled', cancellable: true });
    expect(Object.keys(body).sort()).toEqual([
      'cancellable',
      'cancellableUntil',
      'scheduledAt',
      'scheduledFor',
      'status',
    ]);
  });

  test('the owner reads what will go, by collection, and nothing of it has gone', async () => {
    const { plan } = (await owner.get(at(acme))).body;
    const { status, body } = await owner.get(new URL(plan as string).pathname);
    expect(status).toBe(200);
    expect(body).toMatchObject({ offer: { kind: 'access', scope: 'workspace', workspaceId: acme } });
    const messages = await rowsOf(desk, acme);
    expect(messages).toBeGreaterThan(0);
    expect(body.parts).toMatchObject([{ scope: 'workspace', workspaceId: acme }]);
    expect(body.parts[0].collections).toContainEqual(
      expect.objectContaining({ collection: 'messages', title: 'Messages', rule: 'delete', rows: messages }),
    );
    // It is everybody's, not the owner's own.
    const titles = (body.parts[0].collections as { title: string }[]).map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(['Members', 'The workspace', 'Invitations sent']));
    expect(titles.filter((title) => /\byou/i.test(title))).toEqual([]);
  });

  test('a second one is 409, and says where the first is', async () => {
    const { status, body } = await owner.post(at(acme), { confirm: name });
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'deletion.already_scheduled' });
    expect(body.requestId).toBe((await owner.get(at(acme))).body.requestId);
    expect(body.detail).toContain('DELETE');
  });

  test('a package of everything is offered, and shown while it is open', async () => {
    const { body: filed } = await owner.post(`/v1/workspaces/${acme}/requests`, {
      kind: 'access',
      scope: 'workspace',
    });
    await desk.reached(owner, `/v1/workspaces/${acme}/requests/${filed.id}`, 'fulfilled');
    const { body } = await owner.get(at(acme));
    expect(body.package).toMatchObject({ status: 'ready', requestId: filed.id });
    expect(body.blockers.map(({ code }: { code: string }) => code)).toEqual(['access_open']);
    const token = await desk.linkTo(demoPeople.owner.mail, 'd');
    expect((await desk.anybody().post(`/d/${token}`)).status).toBe(303);
    expect((await owner.get(at(acme))).body.blockers).toEqual([]);
  });

  test('it is cancelled where it was scheduled, and nowhere else', async () => {
    const { requestId } = (await owner.get(at(acme))).body;
    const elsewhere = await owner.post(`/v1/workspaces/${acme}/requests/${requestId}/withdrawals`);
    expect({ status: elsewhere.status, code: elsewhere.body.code }).toEqual({
      status: 422,
      code: 'request.use_deletion',
    });
    const support = await desk.as('support');
    const refused = await support.post(`/v1/workspaces/${acme}/requests/${requestId}/refusals`, {
      ground: 'unfounded',
    });
    expect([refused.status, refused.body.code]).toEqual([422, 'request.use_deletion']);
    expect((await (await desk.as('member')).delete(at(acme))).status).toBe(403);
    expect((await (await desk.as('admin')).delete(at(acme))).status).toBe(204);
    expect((await owner.get(at(acme))).body.status).toBe('none');
    expect((await owner.get(`/v1/workspaces/${acme}/requests/${requestId}`)).body.status).toBe('withdrawn');
    expect(await told(desk, demoPeople.owner.mail)).toContain(`The workspace “${name}” stays`);
    const again = await owner.delete(at(acme));
    expect({ status: again.status, code: again.body.code }).toEqual({
      status: 404,
      code: 'deletion.not_found',
    });
    const actions = (await owner.get(`/v1/workspaces/${acme}/events?limit=200`)).body.items.map(
      ({ action }: { action: string }) => action,
    );
    expect(actions).toEqual(
      expect.arrayContaining(['workspace.deletion_scheduled', 'workspace.deletion_cancelled']),
    );
  });

  test('the host app hears of both by webhook, in ids and dates', async () => {
    const deliveries = await desk.db.behindTheScenes<{ type: string; body: string }>(
      'select type, body from habeas.webhook_deliveries order by created_at, id',
    );
    expect(deliveries.map(({ type }) => type).sort()).toEqual([
      'workspace.deletion_cancelled',
      'workspace.deletion_scheduled',
    ]);
    for (const { body } of deliveries) {
      expect(JSON.parse(body)).toMatchObject({ data: { workspaceId: acme, requestId: expect.any(String) } });
      expect(body).not.toContain(name);
      expect(body).not.toMatch(/@/);
    }
  });

  test('and may be scheduled anew', async () => {
    owner = await desk.as('owner');
    expect((await owner.post(at(acme), { confirm: name })).status).toBe(201);
    expect((await owner.delete(at(acme))).status).toBe(204);
  });
});

describe('what time brings', () => {
  let desk: TestDesk;
  let neighbour: Caller;
  let end: number;
  beforeEach(async () => {
    desk = await TestDesk.open();
    neighbour = await desk.as('neighbour');
    const { body } = await neighbour.post(at(borealis), { confirm: await nameOf(desk, borealis) });
    end = Date.parse(body.scheduledFor);
  });
  afterEach(() => desk.close());
  const goTo = async (moment: number) => {
    desk.clock.set(new Date(moment));
    await desk.sweep();
    neighbour = await desk.as('neighbour');
  };
  const mine = () => told(desk, demoPeople.neighbour.mail);

  test('owners of that day are reminded 7 days and 1 day before, each once, by however many instances', async () => {
    const [week, day] = [/^In 7 days/, /^Tomorrow/];
    const sent = async (which: RegExp) => (await mine()).filter((subject) => which.test(subject)).length;
    await goTo(end - 7 * DAY - SECOND);
    expect(await sent(week)).toBe(0);
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [borealis, demoPeople.admin.userId],
    );
    await goTo(end - 7 * DAY);
    await Promise.all([1, 2, 3].map(() => desk.app.get(WorkspaceDeletionSweep).reminders()));
    await desk.sweep();
    expect(await sent(week)).toBe(1);
    expect((await told(desk, demoPeople.admin.mail)).filter((subject) => week.test(subject))).toHaveLength(1);
    await goTo(end - DAY - SECOND);
    expect(await sent(day)).toBe(0);
    await goTo(end - DAY);
    await goTo(end - SECOND);
    expect([await sent(week), await sent(day)]).toEqual([1, 1]);
  });

  test('a week’s reminder that was missed is not made up for on the last day', async () => {
    await goTo(end - DAY / 2);
    const subjects = await mine();
    expect(subjects.filter((subject) => /^Tomorrow/.test(subject))).toHaveLength(1);
    expect(subjects.filter((subject) => /^In 7/.test(subject))).toEqual([]);
  });

  test('a second before the grace ends nothing is touched, and at its end the purge begins', async () => {
    const before = await rowsOf(desk, borealis);
    expect(before).toBeGreaterThan(0);
    await goTo(end - SECOND);
    await settled(desk);
    expect((await neighbour.get(at(borealis))).body.status).toBe('scheduled');
    expect(await rowsOf(desk, borealis)).toBe(before);
    await goTo(end);
    await settled(desk);
    const [request] = await desk.db.behindTheScenes<{ status: string }>(
      `select status from habeas.requests where kind = 'deletion' and scope = 'workspace'`,
    );
    expect(request?.status).not.toBe('scheduled');
  });

  test('a hold keeps it back, on the desk, and it goes once that is released', async () => {
    const support = await desk.as('support');
    const holds = `/v1/workspaces/${borealis}/holds`;
    const placed = await support.post(holds, { ground: 'litigation', reviewOn: '2027-01-31' });
    expect(placed.status).toBe(201);
    await goTo(end + SECOND);
    await settled(desk);
    const seen = (await neighbour.get(at(borealis))).body;
    expect(seen).toMatchObject({ status: 'scheduled', blockers: [] });
    const staff = await desk.as('support');
    expect((await staff.get(at(borealis))).body.blockers).toMatchObject([{ code: 'held' }]);
    const [late] = (await desk.app.get(OverdueWatch).look()).filter(({ kind }) => kind === 'purge');
    expect(late).toMatchObject({ kind: 'purge', seconds: 1 });
    const { items } = (await staff.get('/v1/desk/requests?show=stuck')).body;
    expect(items).toMatchObject([{ scope: 'workspace', failure: { code: 'deletion.held' } }]);
    await staff.delete(`${holds}/${placed.body.id}`);
    await desk.sweep();
    await settled(desk);
    expect((await neighbour.get(at(borealis))).body.status).not.toBe('scheduled');
  });

  test('a person’s open access request is waited for', async () => {
    await goTo(end - DAY);
    const filed = await neighbour.post('/v1/me/requests', { kind: 'access' });
    await desk.reached(neighbour, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    await goTo(end);
    await settled(desk);
    const { body } = await neighbour.get(at(borealis));
    expect(body.status).toBe('scheduled');
    expect(body.blockers).toMatchObject([{ code: 'access_open' }]);
    const token = await desk.linkTo(demoPeople.neighbour.mail, 'd');
    expect((await desk.anybody().post(`/d/${token}`)).status).toBe(303);
    await desk.sweep();
    await settled(desk);
    expect((await neighbour.get(at(borealis))).body.status).not.toBe('scheduled');
  });
});

describe('whoever else may say so', () => {
  let desk: TestDesk;
  let host: Caller;
  beforeEach(async () => {
    desk = await TestDesk.open();
    const lead = await desk.as('privacy-lead');
    const { body } = await lead.post(`/v1/workspaces/${HOST_TENANT}/tokens`, {
      name: 'Billing',
      permissions: ['requests:read', 'requests:write'],
    });
    host = desk.bearer(body.token);
  });
  afterEach(() => desk.close());
  const ended = { reason: 'subscription_ended' };
  const chosen = (workspace: string, choice: 'delete' | 'keep') =>
    desk.db.behindTheScenes(
      `insert into habeas.retentions (tenant_id, subscription_ended) values ($1, $2)
       on conflict (tenant_id) do update set subscription_ended = excluded.subscription_ended`,
      [workspace, choice],
    );
  const codes = ({ body }: { body: { blockers: { code: string }[] } }) =>
    body.blockers.map(({ code }) => code);

  test('the host ends the subscription: the same grace, if the workspace’s retention says so', async () => {
    for (const unsaid of [true, false]) {
      if (!unsaid) await chosen(acme, 'keep');
      const { status, body } = await host.post(at(acme), ended);
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'deletion.kept_by_retention' });
      expect(body.detail).toContain(`/v1/workspaces/${acme}/retention`);
    }
    await chosen(acme, 'delete');
    const { status, body } = await host.post(at(acme), ended);
    expect({ status, reason: body.reason }).toEqual({ status: 201, reason: 'subscription_ended' });
    expect(Date.parse(body.scheduledFor)).toBe(desk.clock.now().getTime() + 30 * DAY);
    expect(await told(desk, demoPeople.owner.mail)).toHaveLength(1);
    expect((await host.delete(at(acme))).status).toBe(204);
    expect((await host.get(at(acme))).body.status).toBe('none');
  });

  test('a workspace’s own token, a token with another reason, an owner with this one: refused', async () => {
    await chosen(acme, 'delete');
    const owner = await desk.as('owner');
    const made = await owner.post(`/v1/workspaces/${acme}/tokens`, {
      name: 'App',
      permissions: ['requests:write'],
    });
    const own = await desk.bearer(made.body.token).post(at(acme), ended);
    expect({ status: own.status, code: own.body.code }).toEqual({ status: 403, code: 'auth.forbidden' });
    const other = await host.post(at(acme), { confirm: await nameOf(desk, acme) });
    expect({ status: other.status, code: other.body.code }).toEqual({
      status: 422,
      code: 'deletion.wrong_reason',
    });
    const owners = await owner.post(at(acme), { ...ended, confirm: await nameOf(desk, acme) });
    expect({ status: owners.status, code: owners.body.code }).toEqual({
      status: 422,
      code: 'deletion.wrong_reason',
    });
    expect((await owner.get(at(acme))).body.status).toBe('none');
  });

  test('what an owner scheduled, the host does not take back', async () => {
    const owner = await desk.as('owner');
    await owner.post(at(acme), { confirm: await nameOf(desk, acme) });
    const { status, body } = await host.delete(at(acme));
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'auth.forbidden' });
    expect((await host.get(at(acme))).body.status).toBe('scheduled');
  });

  test('the host’s own matters are nobody’s workspace', async () => {
    for (const answer of [await host.post(at(HOST_TENANT), ended), await host.get(at(HOST_TENANT))])
      expect({ status: answer.status, code: answer.body.code }).toEqual({
        status: 404,
        code: 'workspace.not_found',
      });
  });

  test('the only owner may go once their workspace goes, and may not any more when it stays', async () => {
    const neighbour = await desk.as('neighbour');
    const filed = await neighbour.post('/v1/me/requests', { kind: 'deletion' });
    const path = `/v1/me/requests/${filed.body.id}`;
    expect(codes(filed)).toContain('sole_owner');
    await neighbour.post(at(borealis), { confirm: await nameOf(desk, borealis) });
    expect(codes(await neighbour.get(path))).not.toContain('sole_owner');
    expect((await neighbour.delete(at(borealis))).status).toBe(204);
    expect(codes(await neighbour.get(path))).toContain('sole_owner');
    desk.clock.advance(2 * DAY);
    await desk.sweep();
    await settled(desk);
    expect((await (await desk.as('neighbour')).get(path)).body.status).toBe('scheduled');
  });

  test('when the last owner is gone, support finds the workspace and may undo its deletion, and start it again', async () => {
    const neighbour = await desk.as('neighbour');
    await neighbour.post(at(borealis), { confirm: await nameOf(desk, borealis) });
    const filed = await neighbour.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    await desk.reached(neighbour, `/v1/me/requests/${filed.body.id}`, 'fulfilled');

    const support = await desk.as('support');
    const orphans = async () => (await support.get('/v1/desk/orphaned-workspaces')).body.items;
    expect(await orphans()).toMatchObject([
      { workspaceId: borealis, why: 'no_owner', deletion: { status: 'scheduled' }, path: at(borealis) },
    ]);
    expect((await support.delete(at(borealis))).status).toBe(204);
    expect(await orphans()).toMatchObject([{ workspaceId: borealis, deletion: null }]);
    const silent = await support.post(at(borealis), { reason: 'orphaned' });
    expect({ status: silent.status, path: silent.body.errors[0].path }).toEqual({
      status: 400,
      path: 'explanation',
    });
    const explanation = 'Nobody answers at the address that pays.';
    const started = await support.post(at(borealis), { reason: 'orphaned', explanation });
    expect({ status: started.status, reason: started.body.reason }).toEqual({
      status: 201,
      reason: 'orphaned',
    });
    const notes = await support.get(`/v1/workspaces/${borealis}/requests/${started.body.requestId}/notes`);
    expect(notes.body.items).toMatchObject([{ text: explanation }]);
    const looked = await desk.db.behindTheScenes(
      `select 1 from habeas.events where tenant_id = $1 and action = 'desk.viewed' and metadata ->> 'show' = 'orphaned-workspaces'`,
      [HOST_TENANT],
    );
    expect(looked).toHaveLength(2);
  });

  test('when it is purged the host still reads so, and nothing brings it back', async () => {
    await chosen(borealis, 'delete');
    const { body } = await host.post(at(borealis), ended);
    desk.clock.set(new Date(Date.parse(body.scheduledFor as string) + SECOND));
    await desk.sweep();
    const gone = await reached(host, borealis, 'purged');
    expect(gone).toEqual({
      status: 'purged',
      purgedAt: desk.clock.now().toISOString(),
      requestId: body.requestId,
      reason: 'subscription_ended',
    });
    expect(await rowsOf(desk, borealis)).toBe(0);
    for (const answer of [await host.delete(at(borealis)), await host.post(at(borealis), ended)])
      expect({ status: answer.status, code: answer.body.code }).toEqual({
        status: 410,
        code: 'workspace.purged',
      });
    expect((await (await desk.as('support')).get('/v1/desk/orphaned-workspaces')).body.items).toEqual([]);
  }, 120_000);

  test('a purge that fails is tried again, ends on the desk, and keeps no other workspace from going', async () => {
    await chosen(acme, 'delete');
    await chosen(borealis, 'delete');
    await desk.db.behindTheScenes(
      `create function atelier.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
    );
    await desk.db.behindTheScenes(
      `create trigger refuse before delete on atelier.messages for each row
       when (old.workspace_id = '${acme}') execute function atelier.refuse()`,
    );
    for (const workspace of [acme, borealis])
      expect((await host.post(at(workspace), ended)).status).toBe(201);
    desk.clock.advance(30 * DAY);
    await desk.sweep();
    await reached(host, borealis, 'purged');
    await settled(desk);
    for (let round = 0; round < 6; round++) {
      expect((await host.get(at(acme))).body.status).toBe('in_progress');
      desk.clock.advance(DAY / 2);
      await desk.sweep();
      await settled(desk);
    }
    expect((await host.get(at(acme))).body.status).toBe('failed');
    const support = await desk.as('support');
    const { items } = (await support.get('/v1/desk/requests?show=stuck')).body;
    expect(items).toMatchObject([
      { workspaceId: acme, status: 'failed', waitingFor: ['a person'], attempts: 7 },
    ]);
    await desk.db.behindTheScenes('drop trigger refuse on atelier.messages');
    expect((await support.post(`${items[0].path}/retries`)).status).toBe(201);
    await reached(host, acme, 'purged');
  }, 240_000);

  test('the sweep finds ten times as many workspaces in about ten times the time', async () => {
    const due = async (count: number) => {
      await desk.db.behindTheScenes(
        `insert into habeas.requests (tenant_id, kind, scope, status, channel, received_at, filed_by, run_after, identity_proven_at)
         select gen_random_uuid(), 'deletion', 'workspace', 'scheduled', 'token', now(), 'test', $2, now() from generate_series(1, $1)`,
        [count, desk.clock.now()],
      );
      await desk.db.behindTheScenes('analyze habeas.requests');
      const began = performance.now();
      await desk.app.get(WorkspaceDeletionSweep).purges();
      const took = performance.now() - began;
      await desk.db.behindTheScenes('delete from habeas.requests');
      await desk.db.behindTheScenes(`delete from habeas_jobs.job where name = 'workspace-purge'`);
      return took;
    };
    await due(10);
    // Twice as much as linear is for the machine's other guests; when they are busy they slow each down at times, and
    // the fastest of several is what the sweep itself takes.
    let [few, many] = [Infinity, Infinity];
    for (let round = 0; round < 6 && !(many / few < 20); round++)
      [few, many] = [Math.min(few, await due(50)), Math.min(many, await due(500))];
    expect(many / few).toBeLessThan(20);
  }, 60_000);

  test('a workspace that the host has no row of any more is the desk’s, page by page; others are not', async () => {
    const support = await desk.as('support');
    await (await desk.as('owner')).get(at(acme));
    const gone = [...Array(5).keys()].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    await desk.db.behindTheScenes(
      'insert into habeas.workspaces (id, host_key) select id::uuid, id from unnest($1::text[]) as id',
      [gone],
    );
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page: any = (
        await support.get(`/v1/desk/orphaned-workspaces?limit=2${next && `&cursor=${next}`}`)
      ).body;
      for (const { workspaceId, why } of page.items) {
        expect(why).toBe('not_at_host');
        seen.push(workspaceId);
      }
      next = page.next;
    }
    expect(seen).toEqual(gone);
    const owned = await support.post(at(acme), { reason: 'orphaned', explanation: 'x' });
    expect({ status: owned.status, code: owned.body.code }).toEqual({
      status: 422,
      code: 'deletion.wrong_reason',
    });
    expect((await support.post(at(gone[0] ?? ''), { reason: 'orphaned', explanation: 'x' })).status).toBe(
      201,
    );
    expect((await (await desk.as('owner')).get('/v1/desk/orphaned-workspaces')).status).toBe(403);
  });
});
