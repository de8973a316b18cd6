import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { checkCertificate } from '../../src/deletion/certificate/check.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { unavailable } from '../../src/storage/object-store.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const HOUR = 3_600_000;
const { member } = demoPeople;

/** Every row of Atelier as text, by table: what a neighbour's bytes are compared by. */
async function rowsOf(desk: TestDesk): Promise<Map<string, string[]>> {
  const tables = await desk.db.behindTheScenes<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'atelier' and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  const all = new Map<string, string[]>();
  for (const { name } of tables) {
    const rows = await desk.db.behindTheScenes<{ row: string }>(`select t::text as row from ${name} as t`);
    all.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return all;
}

/** How often a text stands in any row of any table of these schemas. */
async function occurrences(desk: TestDesk, schemas: string[], text: string): Promise<string[]> {
  const tables = await desk.db.behindTheScenes<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any ($1) and c.relkind = 'r'`,
    [schemas],
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const sql = `select 1 from ${name} as t where t::text ilike '%' || $1 || '%' limit 1`;
    if ((await desk.db.behindTheScenes(sql, [text])).length > 0) found.push(name);
  }
  return found;
}

describe('a member deletes their account', () => {
  let desk: TestDesk;
  let me: Caller;
  let path: string;
  let before: Map<string, string[]>;
  let theirs: { messages: number; attachments: number };

  /** What she wrote, as a member and as the customer of another workspace who has her verified address. */
  const countTheirs = async () => {
    const [row] = await desk.db.behindTheScenes<typeof theirs>(
      `with wrote as (select id from atelier.messages where author_id = $1
         or customer_id in (select id from atelier.customers where lower(email) = $2))
       select (select count(*)::int from wrote) as messages,
              (select count(*)::int from atelier.attachments where message_id in (select id from wrote)) as attachments`,
      [member.userId, member.mail],
    );
    return row as typeof theirs;
  };
  beforeAll(async () => {
    desk = await TestDesk.open();
    me = await desk.as('member');
  });
  afterAll(() => desk.close());

  const touch = async (hours: number) => {
    desk.clock.advance(hours * HOUR);
    await desk.sweep();
    me = await desk.as('member');
  };

  let rooms: { stay: number; go: number } | undefined;
  /** Of workrooms: how many go, and how many stay for others. */
  const roomsIn = (collections: { collection: string; rule: string; rows: number; ground?: string }[]) => {
    const rooms = collections.filter(({ collection }) => collection === 'workrooms');
    const sum = (those: typeof rooms) => those.reduce((all, { rows }) => all + rows, 0);
    const shared = rooms.filter(({ rule, ground }) => rule === 'keep' && ground === 'Shared with others');
    return { stay: sum(shared), go: sum(rooms.filter((one) => !shared.includes(one))) };
  };

  test('filing answers 201 and says what will happen, and when', async () => {
    const filed = await me.post('/v1/me/requests', { kind: 'deletion' });
    expect(filed.status).toBe(201);
    path = `/v1/me/requests/${filed.body.id}`;
    expect(filed.body).toMatchObject({ status: 'scheduled', runAfter: '2026-11-21T12:00:00.000Z' });
    expect(filed.body.blockers.map(({ code }: { code: string }) => code)).toEqual(['cooling_off']);

    const plan = await me.get(`${path}/plan`);
    expect(plan.status).toBe(200);
    const account = plan.body.parts.find(({ scope }: { scope: string }) => scope === 'account');
    expect(account.collections).toContainEqual(
      expect.objectContaining({ collection: 'users', rule: 'pseudonymise', rows: 1 }),
    );
    const acme = plan.body.parts.find(
      ({ workspaceId }: { workspaceId?: string }) => workspaceId === workspaceIds.acme,
    );
    expect(acme.collections).toContainEqual(
      expect.objectContaining({ collection: 'messages', rule: 'delete' }),
    );
    expect(plan.body.offer).toEqual({ kind: 'access', scope: 'account' });
    // Rooms with others in them stay; together with those that go it is what /me/data counts.
    rooms = roomsIn(plan.body.parts.flatMap(({ collections }: { collections: object[] }) => collections));
    const held = (await me.get('/v1/me/data')).body.collections;
    expect(rooms.stay).toBeGreaterThan(0);
    expect(rooms.stay + rooms.go).toBe(held.find(({ name }: { name: string }) => name === 'workrooms').rows);
    expect((await me.get(`${path}/certificate`)).status).toBe(404);
  });

  test('nothing happens a second before the cooling-off ends', async () => {
    before = await rowsOf(desk);
    theirs = await countTheirs();
    desk.clock.advance(24 * HOUR - 1000);
    await desk.sweep();
    me = await desk.as('member');
    await new Promise((resolve) => setImmediate(resolve));
    expect((await me.get(path)).body.status).toBe('scheduled');
    expect(await rowsOf(desk)).toEqual(before);
  });

  test('and at its end the person is erased, and nobody else', async () => {
    await touch(1 / 3600);
    await desk.reached(me, path, 'fulfilled').catch(async (error: unknown) => {
      const [row] = await desk.db.behindTheScenes('select status, failure, attempts from habeas.requests');
      throw new Error(JSON.stringify(row), { cause: error });
    });
    expect((await me.get(path)).body.outcome).toBe('full');

    const after = await rowsOf(desk);
    const changes: Record<string, { gone: number; come: number }> = {};
    for (const [table, rows] of before) {
      const [was, is] = [new Set(rows), new Set(after.get(table))];
      const [gone, come] = [[...was].filter((row) => !is.has(row)), [...is].filter((row) => !was.has(row))];
      if (gone.length + come.length > 0) changes[table] = { gone: gone.length, come: come.length };
    }
    const { messages, attachments } = theirs;
    expect(changes).toEqual({
      'atelier.attachments': { gone: attachments, come: 0 },
      'atelier.customers': { gone: 1, come: 0 },
      'atelier.integrations': { gone: 1, come: 0 },
      'atelier.memberships': { gone: 1, come: 0 },
      'atelier.messages': { gone: messages, come: 0 },
      'atelier.users': { gone: 1, come: 1 },
      'atelier.workroom_invitations': { gone: 1, come: 1 },
    });
    expect(await countTheirs()).toEqual({ messages: 0, attachments: 0 });
    const [user] = await desk.db.behindTheScenes('select * from atelier.users where id = $1', [
      member.userId,
    ]);
    expect(user).toMatchObject({ display_name: 'Deleted User', language: null, password_hash: null });
    expect(user?.email).toMatch(/^deleted-[0-9a-f-]{36}@deleted\.invalid$/);
  });

  test('no address is left in any table, Habeas’s own included', async () => {
    expect(await occurrences(desk, ['atelier', 'habeas', 'habeas_jobs'], member.mail)).toEqual([]);
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.pseudonyms where subject_key = $1', [
        member.userId,
      ]),
    ).toEqual([]);
    const [erasure] = await desk.db.behindTheScenes(
      'select job_sealed is null as wiped from habeas.erasures',
    );
    expect(erasure).toEqual({ wiped: true });
  });

  test('one mail tells of it, with a certificate that anybody can check', async () => {
    const told = await eventually(async () => {
      const theirs = (await desk.mails()).filter(({ subject }) =>
        /has deleted your data/.test(subject ?? ''),
      );
      return theirs.length > 0 ? theirs : undefined;
    });
    expect(told).toHaveLength(1);
    const certificate = (await me.get(`${path}/certificate`)).body;
    expect(certificate).toMatchObject({ scope: 'account', residues: 0, final: true });
    expect(roomsIn(certificate.collections)).toEqual(rooms);
    expect(JSON.stringify(certificate)).not.toContain(member.userId);
    const keys = (await desk.anybody().get('/.well-known/habeas-keys.json')).body;
    const enclosed = desk.enclosed(told[0]);
    expect(JSON.parse(enclosed)).toEqual(certificate);
    expect(() => checkCertificate(enclosed, keys.keys)).not.toThrow();
    expect(() => checkCertificate(JSON.stringify(certificate), keys.keys)).not.toThrow();
    const changed = { ...certificate, mentions: 1234 };
    expect(() => checkCertificate(JSON.stringify(changed), keys.keys)).toThrow();
  });

  test('their token, while it is still valid, reads how it ended and begins nothing new', async () => {
    const left =
      'select (select count(*)::int from habeas.pseudonyms) as names, (select count(*)::int from habeas.outbox) as mails';
    const was = await desk.db.behindTheScenes(left);
    for (const filing of [
      { kind: 'access' },
      { kind: 'deletion' },
      { kind: 'deletion', scope: 'person', workspaceId: workspaceIds.acme },
    ]) {
      const { status, body } = await me.post('/v1/me/requests', filing);
      expect([status, body.code]).toEqual([410, 'person.erased']);
    }
    expect((await me.get('/v1/me/data')).body.code).toBe('person.erased');
    expect((await me.get(`/v1/workspaces/${workspaceIds.acme}/requests`)).status).toBe(404);
    expect((await me.get('/v1/me/requests')).body.items).toHaveLength(1);
    expect(await desk.db.behindTheScenes(left)).toEqual(was);
  });

  test('nobody writes to what stands in the place of their address', async () => {
    const [user] = await desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [member.userId],
    );
    const support = await desk.as('support');
    const filing = { kind: 'access', mail: user?.email, channel: 'letter' };
    expect((await support.post('/v1/desk/requests', filing)).status).toBe(201);
    await desk.sweep();
    const to = (await desk.mails()).flatMap((mail) => mail.to ?? []).map(({ address }) => address);
    expect(to.filter((address) => address?.endsWith('deleted.invalid'))).toEqual([]);
    expect(await desk.db.behindTheScenes(`select 1 from habeas.outbox where status = 'pending'`)).toEqual([]);
  });

  test('an import hears that this person must not come back, and the ledger knows', async () => {
    const host = 'select distinct erasure_id as id from habeas.suppressions where tenant_id = $1';
    const suppressed = await desk.db.behindTheScenes(host, [HOST_TENANT]);
    expect(suppressed).toHaveLength(1);
    const entries = [];
    for await (const found of desk.app.get(ErasureLedger).entries()) entries.push(found);
    expect(entries).toMatchObject([{ entry: { erasureId: suppressed[0]?.id, scope: 'account' } }]);
    expect(JSON.stringify(entries)).not.toContain(member.mail);
  });

  test('a second run finds nothing to do', async () => {
    const now = await rowsOf(desk);
    await desk.sweep();
    expect(await rowsOf(desk)).toEqual(now);
    expect((await me.post(`${path}/withdrawals`)).status).toBe(409);
  });
});

describe('a deletion waits, stops, or needs more', () => {
  let desk: TestDesk;
  beforeEach(async () => {
    desk = await TestDesk.open();
  });
  afterEach(() => desk.close());

  const codes = ({ body }: { body: { blockers: { code: string }[] } }) =>
    body.blockers.map(({ code }) => code);
  /** Sweeps, and lets what is queued run to its end. */
  const settled = async () => {
    await desk.sweep();
    await eventually(async () => {
      const busy = `select 1 from habeas_jobs.job where state in ('created', 'active', 'retry') limit 1`;
      return (await desk.db.behindTheScenes(busy)).length === 0;
    }, 20_000);
  };

  test('the person changes their mind in time, and nothing is touched', async () => {
    const me = await desk.as('member');
    const before = await rowsOf(desk);
    const { body } = await me.post('/v1/me/requests', { kind: 'deletion' });
    expect((await me.post(`/v1/me/requests/${body.id}/withdrawals`)).status).toBe(201);
    desk.clock.advance(48 * HOUR);
    await settled();
    expect(await rowsOf(desk)).toEqual(before);
  });

  test('after the first batch that cannot be undone, 409 request.irreversible, for a refusal too', async () => {
    const me = await desk.as('member');
    // The last thing to go fails: what is deleted until then cannot come back.
    await desk.db.behindTheScenes(`
      create function atelier.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`);
    await desk.db.behindTheScenes(
      'create trigger refuse before update on atelier.users for each row execute function atelier.refuse()',
    );
    const { body } = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    const path = `/v1/me/requests/${body.id}`;
    await settled();
    const withdrawn = await me.post(`${path}/withdrawals`);
    expect({ status: withdrawn.status, code: withdrawn.body.code }).toEqual({
      status: 409,
      code: 'request.irreversible',
    });
    const support = await desk.as('support');
    const refused = await support.post(`/v1/workspaces/${HOST_TENANT}/requests/${body.id}/refusals`, {
      ground: 'legal_obligation',
    });
    expect({ status: refused.status, code: refused.body.code }).toEqual({
      status: 409,
      code: 'request.irreversible',
    });
    const [row] = await desk.db.behindTheScenes<{ failure: object }>('select failure from habeas.requests');
    expect(row?.failure).toMatchObject({ code: 'erasure.refused_by_database' });
    await desk.db.behindTheScenes('drop trigger refuse on atelier.users');
    desk.clock.advance(HOUR / 30);
    await settled();
    expect((await me.get(path)).body.status).toBe('fulfilled');
  });

  test('the only owner of a workspace is told so, until there is another', async () => {
    const neighbour = await desk.as('neighbour');
    const filed = await neighbour.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    expect(filed.status).toBe(201);
    expect(codes(filed)).toContain('sole_owner');
    await settled();
    const path = `/v1/me/requests/${filed.body.id}`;
    expect((await neighbour.get(path)).body.status).toBe('scheduled');
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [workspaceIds.borealis, demoPeople.admin.userId],
    );
    expect(codes(await neighbour.get(path))).not.toContain('sole_owner');
    await settled();
    expect((await neighbour.get(path)).body.status).toBe('fulfilled');
  });

  test('a hold stops it, in silence where the person must not hear of it', async () => {
    const me = await desk.as('member');
    const support = await desk.as('support');
    const hold = (disclosable: boolean) =>
      support.post(`/v1/workspaces/${workspaceIds.acme}/holds`, {
        subject: { kind: 'user', key: member.userId },
        ground: 'litigation',
        disclosable,
        reviewOn: '2027-01-31',
      });
    const placed = await hold(false);
    expect(placed.status).toBe(201);
    const before = await rowsOf(desk);
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    const path = `/v1/me/requests/${filed.body.id}`;
    await settled();
    const seen = await me.get(path);
    expect(seen.body.status).toBe('scheduled');
    expect(JSON.stringify(seen.body)).not.toMatch(/held|litigation/);
    expect(codes(await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`))).toEqual([
      'held',
    ]);
    expect(await rowsOf(desk)).toEqual(before);
    await support.delete(`/v1/workspaces/${workspaceIds.acme}/holds/${placed.body.id}`);
    await settled();
    expect((await me.get(path)).body.status).toBe('fulfilled');
  });

  test('a package that is not fetched yet holds it up, unless the person does without', async () => {
    const me = await desk.as('member');
    const access = await me.post('/v1/me/requests', { kind: 'access' });
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    const path = `/v1/me/requests/${filed.body.id}`;
    expect(codes(filed)).toEqual(['access_open']);
    await desk.reached(me, `/v1/me/requests/${access.body.id}`, 'fulfilled');
    await settled();
    expect(codes(await me.get(path))).toEqual(['access_open']);
    const token = await desk.linkTo(member.mail, 'd');
    expect((await desk.anybody().post(`/d/${token}`)).status).toBe(303);
    await settled();
    expect((await me.get(path)).body.status).toBe('fulfilled');
    expect(await occurrences(desk, ['habeas'], member.mail)).toEqual([]);
  });

  test('whoever meets the lock after filing may do without their copy then, once, by themselves or through staff', async () => {
    const viewer = await desk.as('viewer');
    await viewer.post('/v1/me/requests', { kind: 'access' });
    const { body } = await viewer.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    const path = `/v1/me/requests/${body.id}`;
    expect(codes(await viewer.get(path))).toEqual(['access_open']);
    expect((await viewer.post(`${path}/waivers`, { lock: 'cooling_off' })).status).toBe(400);
    const stranger = await (await desk.as('neighbour')).post(`${path}/waivers`, { lock: 'access' });
    expect([stranger.status, stranger.body.code]).toEqual([404, 'request.not_found']);

    const waived = await viewer.post(`${path}/waivers`, { lock: 'access' });
    expect([waived.status, codes(waived)]).toEqual([201, []]);
    expect(waived.body.receivedAt).toBe(body.receivedAt);
    await viewer.post(`${path}/waivers`, { lock: 'access' });
    const support = await desk.as('support');
    const { timeline } = (await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${body.id}`)).body;
    const told = timeline.filter(({ action }: { action: string }) => action === 'request.lock_waived');
    expect(told).toMatchObject([{ by: 'person', metadata: { lock: 'access' } }]);
    await desk.reached(viewer, path, 'fulfilled');
    const late = await viewer.post(`${path}/waivers`, { lock: 'access' });
    expect([late.status, late.body.code]).toEqual([409, 'request.closed']);
  });

  test('a waiver is of a deletion only, and staff record what the person wrote', async () => {
    const auditor = await desk.as('auditor');
    const access = await auditor.post('/v1/me/requests', { kind: 'access' });
    const nothing = await auditor.post(`/v1/me/requests/${access.body.id}/waivers`, { lock: 'access' });
    expect([nothing.status, nothing.body.code]).toEqual([422, 'waiver.nothing_waits']);
    const { body } = await auditor.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'P2D' });
    const support = await desk.as('support');
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${body.id}`;
    expect(codes(await support.get(path))).toEqual(['access_open', 'cooling_off']);
    const recorded = await support.post(`${path}/waivers`, { lock: 'access' });
    expect([recorded.status, codes(recorded)]).toEqual([201, ['cooling_off']]);
  });

  test('who has no sign-in does without their copy at the page behind their link', async () => {
    const support = await desk.as('support');
    const [customer] = await desk.db.behindTheScenes<{ mail: string }>(
      `select lower(c.email) as mail from atelier.customers c where c.workspace_id = $1
         and not exists (select from atelier.users u where lower(u.email) = lower(c.email)) limit 1`,
      [workspaceIds.acme],
    );
    const mail = customer?.mail ?? '';
    const pages: string[] = [];
    for (const kind of ['access', 'deletion']) {
      const will = kind === 'deletion' && { coolingOff: 'P2D' };
      await support.post('/v1/desk/requests', { kind, mail, channel: 'letter', ...will });
      const token = await eventually(async () => {
        const theirs = (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === mail));
        const tokens = theirs.map(({ text }) => /\/p\/([A-Za-z0-9_-]{64})/.exec(text ?? '')?.[1]);
        return tokens.find((token) => token !== undefined && !pages.includes(token));
      });
      await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
      pages.push(token);
    }
    const [copy, deletion] = pages.map((token) => `/p/${token}`);
    expect((await desk.anybody().get(`${copy}`)).body).not.toContain('value="waive"');
    const page = await desk.anybody().get(`${deletion}`);
    expect(page.body).toContain('<button class="plain" name="action" value="waive">Do not wait</button>');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await desk.anybody().post(`${deletion}`, 'action=waive', form)).status).toBe(303);
    const now = (await desk.anybody().get(`${deletion}`)).body;
    expect(now).not.toContain('value="waive"');
    expect(now).toContain('It waits no longer for the copy of the data to be downloaded');
  });

  test('what still stands in the way near the law’s date is the desk’s, once', async () => {
    const neighbour = await desk.as('neighbour');
    const { body } = await neighbour.post('/v1/me/requests', { kind: 'deletion' });
    desk.clock.set(`${body.dueOn}T12:00:00Z`);
    desk.clock.advance(-3 * 24 * HOUR);
    await settled();
    await settled();
    const support = await desk.as('support');
    const seen = await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${body.id}`);
    expect(seen.body).toMatchObject({ status: 'scheduled', failure: { code: 'deletion.sole_owner' } });
    const told = seen.body.timeline.filter(({ action }: { action: string }) => action === 'request.blocked');
    expect(told).toHaveLength(1);
  });

  test('a token that the person made ends with them', async () => {
    const admin = await desk.as('admin');
    const tokens = `/v1/workspaces/${workspaceIds.acme}/tokens`;
    const made = await admin.post(tokens, { name: 'Sync', permissions: ['events:read'] });
    const events = `/v1/workspaces/${workspaceIds.acme}/events`;
    expect((await desk.bearer(made.body.token).get(events)).status).toBe(200);
    const filed = await admin.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    await desk.reached(admin, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    expect((await desk.bearer(made.body.token).get(events)).status).toBe(401);
  });

  test('in one workspace only that one is touched, and the account stays', async () => {
    const me = await desk.as('member');
    const copy = await me.post('/v1/me/requests', { kind: 'access' });
    await desk.reached(me, `/v1/me/requests/${copy.body.id}`, 'fulfilled');
    const { body } = await me.post('/v1/me/requests', {
      kind: 'deletion',
      scope: 'person',
      waiveAccessLock: true,
      workspaceId: workspaceIds.acme,
      coolingOff: 'PT0S',
    });
    await desk.reached(me, `/v1/me/requests/${body.id}`, 'fulfilled');
    const mine = 'select email from atelier.users where id = $1';
    expect(await desk.db.behindTheScenes(mine, [member.userId])).toEqual([{ email: member.mail }]);
    const wrote = 'select 1 from atelier.messages where author_id = $1 and workspace_id = $2';
    expect(await desk.db.behindTheScenes(wrote, [member.userId, workspaceIds.acme])).toEqual([]);
    expect((await me.get(`/v1/me/requests/${copy.body.id}`)).body.status).toBe('fulfilled');
    const elsewhere = 'select 1 from atelier.customers where lower(email) = $1';
    expect(await desk.db.behindTheScenes(elsewhere, [member.mail])).toHaveLength(1);
  });

  test('with PT0S and the lock waived it runs at once', async () => {
    const me = await desk.as('member');
    await me.post('/v1/me/requests', { kind: 'access' });
    const filed = await me.post('/v1/me/requests', {
      kind: 'deletion',
      coolingOff: 'PT0S',
      waiveAccessLock: true,
    });
    expect(codes(filed)).toEqual([]);
    await desk.reached(me, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
  });

  test('a sign-in of ten minutes ago gets a link first', async () => {
    const me = await desk.as('member');
    desk.clock.advance(10 * 60_000);
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    expect({ status: filed.status, state: filed.body.status }).toEqual({ status: 201, state: 'verifying' });
    const again = await me.post('/v1/me/requests', { kind: 'deletion' });
    expect(again.status).toBe(201);
    const token = await desk.linkTo(member.mail, 'p');
    const proven = await desk
      .anybody()
      .post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    expect(proven.status).toBeLessThan(300);
    // Neither has held up the other: the one that is proven runs, the other still waits for its link.
    const { items } = (await me.get('/v1/me/requests')).body;
    const states = items.map(({ status }: { status: string }) => status);
    expect(states).toHaveLength(2);
    expect(states).toContain('verifying');
    expect(states.join()).toMatch(/scheduled|in_progress|fulfilled/);
  });

  test('a cooling-off of more than thirty days, or with an access request, is refused', async () => {
    const me = await desk.as('member');
    for (const body of [
      { kind: 'deletion', coolingOff: 'P31D' },
      { kind: 'deletion', coolingOff: 'soon' },
      { kind: 'access', coolingOff: 'P1D' },
      { kind: 'access', waiveAccessLock: true },
    ])
      expect((await me.post('/v1/me/requests', body)).status).toBe(400);
  });

  test('the longest cooling-off still ends in time for the law', async () => {
    const me = await desk.as('member');
    const { body } = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'P30D' });
    const margin = new Date(`${body.dueOn}T00:00:00Z`).getTime() - 3 * 24 * HOUR;
    expect(new Date(body.runAfter).getTime()).toBeLessThanOrEqual(margin);
    expect(new Date(body.runAfter).getTime()).toBeGreaterThan(margin - 15 * HOUR);
  });
});

test('a copy that the person did without ends with them, and names nobody afterwards', async () => {
  const desk = await TestDesk.open();
  try {
    const me = await desk.as('member');
    const owner = await desk.as('owner');
    const profile = `/v1/workspaces/${workspaceIds.acme}/controller`;
    await owner.put(profile, { approvals: 'approve' });
    const access = await me.post('/v1/me/requests', { kind: 'access' });
    await owner.put(profile, { approvals: 'auto' });
    expect(access.body.status).toBe('scheduled');
    const filed = await me.post('/v1/me/requests', {
      kind: 'deletion',
      coolingOff: 'PT0S',
      waiveAccessLock: true,
    });
    await desk.reached(me, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    desk.clock.advance(35 * 24 * HOUR);
    await desk.sweep();
    const [copy] = await desk.db.behindTheScenes(
      'select status, mail_sealed from habeas.requests where id = $1',
      [access.body.id],
    );
    expect(copy).toEqual({ status: 'withdrawn', mail_sealed: null });
    const mapping = 'select 1 from habeas.pseudonyms where subject_key = $1';
    expect(await desk.db.behindTheScenes(mapping, [member.userId])).toEqual([]);
  } finally {
    await desk.close();
  }
});

test('an auditor who is erased looks at nothing any more, and the grant does not name them', async () => {
  const desk = await TestDesk.open();
  try {
    const owner = await desk.as('owner');
    const auditors = `/v1/workspaces/${workspaceIds.acme}/auditors`;
    expect((await owner.post(auditors, { userId: demoPeople.neighbour.userId })).status).toBe(201);
    const neighbour = await desk.as('neighbour');
    const events = `/v1/workspaces/${workspaceIds.acme}/events`;
    expect((await neighbour.get(events)).status).toBe(200);
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [workspaceIds.borealis, demoPeople.admin.userId],
    );
    const filed = await neighbour.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    await desk.reached(neighbour, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    expect((await neighbour.get(events)).status).toBeGreaterThanOrEqual(400);
    const grants = await desk.db.behindTheScenes<{ userId: string; live: boolean }>(
      'select subject_key as "userId", revoked_at is null as live from habeas.auditors',
    );
    expect(grants.filter(({ userId }) => userId === demoPeople.neighbour.userId)).toEqual([]);
    expect(grants.some(({ userId, live }) => userId.startsWith('erased:') && !live)).toBe(true);
  } finally {
    await desk.close();
  }
});

test('a ledger that is away keeps the certificate back, and the next attempt ends it: one mail, the same pseudonym', async () => {
  let away = true;
  const desk = await TestDesk.open({
    stores: (real) => ({
      bucket: (name) => {
        const bucket = real.bucket(name);
        if (!name.endsWith('-ledger')) return bucket;
        return new Proxy(bucket, {
          get: (its, method) =>
            method === 'put' && away
              ? () => Promise.reject(unavailable('put', new Error('away')))
              : (Reflect.get(its, method) as () => unknown).bind(its),
        });
      },
    }),
  });
  const address = async () => {
    const rows = await desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [member.userId],
    );
    return rows[0]?.email;
  };
  try {
    const me = await desk.as('member');
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    const path = `/v1/me/requests/${filed.body.id}`;
    await eventually(async () =>
      (await me.get(path)).body.timeline.some(
        ({ action }: { action: string }) => action === 'request.attempt_failed',
      ),
    );
    const pseudonym = await address();
    expect(pseudonym).toMatch(/@deleted\.invalid$/);
    expect((await me.get(`${path}/certificate`)).status).toBe(404);
    away = false;
    desk.clock.advance(2 * 60_000);
    await desk.sweep();
    await desk.reached(me, path, 'fulfilled');
    expect(await address()).toBe(pseudonym);
    const told = await eventually(async () => {
      const done = (await desk.mails()).filter(({ subject }) => /has deleted your data/.test(subject ?? ''));
      return done.length > 0 ? done : undefined;
    });
    expect(told).toHaveLength(1);
  } finally {
    await desk.close();
  }
});

test('somebody known by their address only is erased through the desk, and the address is nowhere any more', async () => {
  const desk = await TestDesk.open();
  try {
    const [guest] = await desk.db.behindTheScenes<{ mail: string }>(
      `select lower(invited_email) as mail from atelier.workroom_invitations i where invited_user is null
         and not exists (select from atelier.users u where lower(u.email) = lower(i.invited_email))
         and not exists (select from atelier.customers c where lower(c.email) = lower(i.invited_email))
       limit 1`,
    );
    const mail = guest?.mail ?? '';
    expect(mail).toContain('@');
    const support = await desk.as('support');
    const filed = await support.post('/v1/desk/requests', { kind: 'deletion', mail, channel: 'letter' });
    expect(filed.status).toBe(201);
    const token = await desk.linkTo(mail, 'p');
    await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    desk.clock.advance(25 * HOUR);
    await desk.sweep();
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`;
    const done = await desk.reached(await desk.as('support'), path, 'fulfilled');
    expect(done.outcome).toBe('full');
    await eventually(async () =>
      (await desk.mails()).some(({ subject }) => /has deleted your data/.test(subject ?? '')),
    );
    expect(await occurrences(desk, ['atelier', 'habeas', 'habeas_jobs'], mail)).toEqual([]);
  } finally {
    await desk.close();
  }
});
