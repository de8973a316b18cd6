import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';

const { acme } = workspaceIds;

interface Item {
  id: string;
  dueOn: string | null;
  status: string;
  waitingFor: string[];
}

describe('the desk', () => {
  let desk: TestDesk;
  let support: Caller;
  let owner: Caller;
  const filed: Record<string, string> = {};
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    [support, owner] = [await desk.as('support'), await desk.as('owner')];
    // Filed in an order that is not that of the due dates.
    for (const [jurisdiction, receivedAt] of [
      ['DE', '2026-11-20T10:00:00Z'],
      ['BR', '2026-11-20T10:00:00Z'],
      ['GB', '2026-10-01T10:00:00Z'],
      ['SA', '2026-11-20T10:00:00Z'],
    ] as const) {
      const { body } = await support.post('/v1/desk/requests', {
        mail: `${jurisdiction}@elsewhere.example`.toLowerCase(),
        channel: 'mail',
        jurisdiction,
        receivedAt,
      });
      filed[jurisdiction] = body.id;
    }
    filed.contract = (
      await owner.post(`/v1/workspaces/${acme}/requests`, { kind: 'access', scope: 'workspace' })
    ).body.id;
  });
  afterAll(() => desk.close());

  const queue = async (query = '') => (await support.get(`/v1/desk/requests${query}`)).body;
  const pathOf = (name: string, tenant: string = HOST_TENANT) =>
    `/v1/workspaces/${tenant}/requests/${filed[name]}`;
  const events = (tenant: string, action: string) =>
    desk.db.behindTheScenes<{ metadata: object; targets: { id: string }[] }>(
      'select metadata, targets from habeas.events where tenant_id = $1 and action = $2 order by id',
      [tenant, action],
    );

  test('shows what is due first first, and what is never due last', async () => {
    const { items, counts } = await queue();
    expect(items.map(({ id }: Item) => id)).toEqual(
      ['GB', 'BR', 'SA', 'DE', 'contract'].map((name) => filed[name]),
    );
    expect(items[0]).toMatchObject({ overdue: true, waitingFor: ['identity'], identityProven: false });
    expect(items.at(-1)).toMatchObject({
      dueOn: null,
      law: 'contract',
      overdue: false,
      identityProven: true,
    });
    expect(counts).toEqual({
      open: 5,
      overdue: 1,
      stuck: 0,
      dueWithinSevenDays: 0,
      oldestDueOn: items[0].dueOn,
    });
  });

  test('is read page by page, each request once', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { items, next } = await queue(`?limit=2${cursor}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }: Item) => id));
      if (next === null) break;
      cursor = `&cursor=${encodeURIComponent(next as string)}`;
    }
    expect(seen).toEqual((await queue()).items.map(({ id }: Item) => id));
    expect((await support.get('/v1/desk/requests?cursor=nonsense')).status).toBe(400);
    expect((await support.get('/v1/desk/requests?show=everything')).status).toBe(400);
  });

  test('shows what is overdue, stuck or closed by itself', async () => {
    expect((await queue('?show=overdue')).items.map(({ id }: Item) => id)).toEqual([filed.GB]);
    expect((await queue('?show=stuck')).items).toEqual([]);
    expect((await queue('?show=closed')).items).toEqual([]);
    await support.post(`${pathOf('SA')}/refusals`, { ground: 'identity_not_proven' });
    expect((await queue('?show=closed')).items).toMatchObject([
      { id: filed.SA, status: 'refused', waitingFor: [] },
    ]);
    expect((await queue()).counts.open).toBe(4);
  });

  test('never holds a mail address, a name or a word that somebody wrote', async () => {
    expect(JSON.stringify(await queue())).not.toMatch(/elsewhere\.example|@/);
  });

  test('is for staff; the privacy lead gets counts and dates, and no list', async () => {
    for (const person of ['owner', 'admin', 'member', 'viewer', 'auditor'] as const)
      expect((await (await desk.as(person)).get('/v1/desk/requests')).status).toBe(403);
    expect((await desk.anybody().get('/v1/desk/requests')).status).toBe(401);
    const lead = await desk.as('privacy-lead');
    expect((await lead.get('/v1/desk/requests')).body).toMatchObject({
      counts: { open: 4, overdue: 1 },
      items: [],
      next: null,
    });
    expect((await lead.post('/v1/desk/requests', { mail: 'a@b.example', channel: 'mail' })).status).toBe(403);
  });

  test('the privacy lead refuses, and sees of a request what it is and its dates, not whose it is', async () => {
    const viewer = await desk.as('viewer');
    const { id } = (await viewer.post('/v1/me/requests', { kind: 'access' })).body;
    const lead = await desk.as('privacy-lead');
    const path = `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
    const seen = (await lead.get(path)).body;
    expect(seen).toMatchObject({ id, status: 'received', subjects: [], timeline: [] });
    expect(JSON.stringify(seen)).not.toContain(demoPeople.viewer.userId);
    const refused = await lead.post(`${path}/refusals`, { ground: 'manifestly_unfounded' });
    expect(refused).toMatchObject({ status: 201, body: { status: 'refused', subjects: [] } });
  });

  test('looking at the queue is one event in the host’s log, whatever it shows', async () => {
    const before = (await events(HOST_TENANT, 'desk.viewed')).length;
    await queue('?show=overdue');
    const seen = await events(HOST_TENANT, 'desk.viewed');
    expect(seen).toHaveLength(before + 1);
    expect(seen.at(-1)).toEqual({ metadata: { show: 'overdue' }, targets: [] });
    expect(await events(acme, 'desk.viewed')).toEqual([]);
  });

  test('opening a request is an event in its own tenant’s log, and in no other', async () => {
    const inHost = (await events(HOST_TENANT, 'request.viewed')).length;
    expect(await events(acme, 'request.viewed')).toHaveLength(0);
    expect((await support.get(pathOf('contract', acme))).status).toBe(200);
    expect(await events(acme, 'request.viewed')).toMatchObject([
      { targets: [{ type: 'request', id: filed.contract }] },
    ]);
    expect(await events(HOST_TENANT, 'request.viewed')).toHaveLength(inHost);
    expect((await support.get(pathOf('DE'))).status).toBe(200);
    expect(await events(HOST_TENANT, 'request.viewed')).toHaveLength(inHost + 1);
    // An owner looks at what is theirs.
    expect((await owner.get(pathOf('contract', acme))).status).toBe(200);
    expect(await events(acme, 'request.viewed')).toHaveLength(1);
  });

  test('a request is found in its own tenant only, and one that is missing answers alike', async () => {
    const foreign = await support.get(pathOf('contract'));
    const missing = await support.get(
      `/v1/workspaces/${HOST_TENANT}/requests/11111111-1111-4111-8111-111111111111`,
    );
    expect([foreign.status, foreign.body.code, foreign.body.detail]).toEqual([
      missing.status,
      missing.body.code,
      missing.body.detail,
    ]);
    expect(missing.status).toBe(404);
  });

  test('a look at what is not there is no event', async () => {
    const before = (await events(HOST_TENANT, 'request.viewed')).length;
    await support.get(`/v1/workspaces/${HOST_TENANT}/requests/11111111-1111-4111-8111-111111111111`);
    expect(await events(HOST_TENANT, 'request.viewed')).toHaveLength(before);
  });

  describe('notes', () => {
    const text = 'Called on Monday; she wants the letters from 2019.';

    test('are staff’s alone, sealed in the table, and each is an event without its words', async () => {
      const noted = await support.post(`${pathOf('DE')}/notes`, { text });
      expect(noted).toMatchObject({ status: 201, body: { text } });
      expect((await support.get(`${pathOf('DE')}/notes`)).body.items).toEqual([noted.body]);
      const [row] = await desk.db.behindTheScenes<{ sealed: Buffer }>(
        'select text_sealed as sealed from habeas.request_notes where request_id = $1',
        [filed.DE],
      );
      expect(row?.sealed.toString('latin1')).not.toContain('letters');
      expect(JSON.stringify(await events(HOST_TENANT, 'request.noted'))).not.toContain('letters');
      expect(JSON.stringify((await support.get(pathOf('DE'))).body)).not.toContain('letters');
    });

    test('are closed to everybody else, the privacy lead and the person included', async () => {
      await support.post(`${pathOf('contract', acme)}/notes`, { text });
      for (const person of ['owner', 'admin', 'member', 'privacy-lead'] as const) {
        const caller = await desk.as(person);
        expect([person, (await caller.get(`${pathOf('contract', acme)}/notes`)).status]).toEqual([
          person,
          403,
        ]);
        expect((await caller.post(`${pathOf('contract', acme)}/notes`, { text })).status).toBe(403);
      }
      const viewer = await desk.as('viewer');
      const { id } = (await viewer.post('/v1/me/requests', { kind: 'deletion' })).body;
      await support.post(`/v1/workspaces/${HOST_TENANT}/requests/${id}/notes`, { text });
      const own = (await viewer.get(`/v1/me/requests/${id}`)).body;
      expect(JSON.stringify(own)).not.toMatch(/letters|noted|viewed/);
      expect((await viewer.get(`/v1/me/requests/${id}/notes`)).status).toBe(404);
    });
  });

  test('two identical filings at the desk are both taken, because neither is proven', async () => {
    const write = () => support.post('/v1/desk/requests', { mail: demoPeople.member.mail, channel: 'phone' });
    const both = await Promise.all([write(), write()]);
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
  });

  test('what somebody writes in is refused where it is no address, no channel, or says what it may not', async () => {
    const write = async (body: object) =>
      (await support.post('/v1/desk/requests', { mail: 'a@b.example', channel: 'mail', ...body })).status;
    for (const body of [
      { mail: 'no address' },
      { mail: 'a@b.example\r\nBcc: all@example.com' },
      { channel: 'pigeon' },
      { receivedAt: 'yesterday' },
      { requester: '' },
      { mandate: 'x'.repeat(1001) },
      { kind: 'rectification' },
      { workspaceId: '../x' },
      { status: 'fulfilled' },
    ])
      expect([body, await write(body)]).toEqual([body, 400]);
    expect(await write({ receivedAt: '2026-11-21T12:00:00Z' })).toBe(422);
  });
});
