import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Answer, type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { download } from './package.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;

describe('somebody writes to the host, and support files for them', () => {
  let desk: TestDesk;
  let support: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    support = await desk.as('support');
  });
  afterAll(() => desk.close());

  const write = (mail: string, more: object = {}): Promise<Answer> => {
    desk.clock.advance(1000); // the newest mail is the last by name
    return support.post('/v1/desk/requests', { mail, channel: 'letter', ...more });
  };
  const pathOf = (id: string, tenant = HOST_TENANT) => `/v1/workspaces/${tenant}/requests/${id}`;
  /** Tokens of staff end with the day. */
  const later = async (milliseconds: number) => {
    desk.clock.advance(milliseconds);
    support = await desk.as('support');
    await desk.sweep();
  };
  /** Every mail to this address, once none is on its way any more. */
  const mailsTo = async (mail: string) => {
    const pending = "select 1 from habeas.outbox where status = 'pending'";
    await eventually(async () => (await desk.db.behindTheScenes(pending)).length === 0);
    return (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === mail));
  };
  const mailed = (mail: string, subject: RegExp) =>
    eventually(async () => (await mailsTo(mail)).find((sent) => subject.test(sent.subject ?? '')));
  const act = (token: string, action: 'confirm' | 'withdraw') =>
    desk.anybody().post(`/p/${token}`, { action }, { accept: 'application/json' });
  const prove = async (mail: string) => {
    await mailsTo(mail);
    return act(await desk.linkTo(mail, 'p'), 'confirm');
  };

  /** An answer without what differs between any two filings. */
  const alike = ({ status, body, headers }: Answer): string =>
    JSON.stringify([
      status,
      headers.get('content-length'),
      JSON.parse(
        JSON.stringify(body)
          .replaceAll(body.id, 'ID')
          .replaceAll(/"(at|receivedAt|filedAt)":"[^"]+"/g, '"$1":"T"'),
      ),
    ]);

  test('the answer is alike, byte for byte, whether or not the address is known', async () => {
    const known = await write(demoPeople.viewer.mail);
    const unknown = await write('nobody.knows@elsewhere.example');
    expect(known.status).toBe(201);
    expect(alike(known)).toBe(alike(unknown));
    const [readKnown, readUnknown] = [
      await support.get(pathOf(known.body.id)),
      await support.get(pathOf(unknown.body.id)),
    ];
    expect(alike(readKnown)).toBe(alike(readUnknown));
    expect(readKnown.body).toMatchObject({
      status: 'verifying',
      subjects: [],
      parts: [],
      jurisdiction: 'DE',
    });
    for (const mail of [demoPeople.viewer.mail, 'nobody.knows@elsewhere.example']) {
      const link = await mailed(mail, /./);
      expect(link.text).not.toContain('Vera');
    }
  });

  test('the link proves once, and everybody behind the address is the subject: user, customer and guest', async () => {
    const mail = demoPeople.viewer.mail;
    await desk.db.behindTheScenes(
      `insert into atelier.customers (id, workspace_id, email, name, created_at)
       values (gen_random_uuid(), $1, upper($2), 'Vera at Borealis', now())`,
      [workspaceIds.borealis, mail],
    );
    const invited = await desk.db.behindTheScenes(
      `update atelier.workroom_invitations set invited_email = $1, invited_user = null
       where id = (select min(id) from atelier.workroom_invitations) returning id`,
      [mail],
    );
    expect(invited).toHaveLength(1);
    const token = await desk.linkTo(mail, 'p');
    // A scanner that only looks burns nothing.
    expect((await desk.anybody().get(`/p/${token}`)).status).toBe(200);
    const proven = await act(token, 'confirm');
    expect(proven.status).toBe(200);
    const again = await act(token, 'confirm');
    expect(again).toMatchObject({ status: 409, body: { code: 'proof.already_used' } });

    const { requestId } = proven.body;
    const done = await desk.reached(support, pathOf(requestId), 'fulfilled');
    expect(done.identity.method).toBe('link');
    expect(done.subjects.map(({ kind, via }: { kind: string; via: string }) => `${kind} via ${via}`)).toEqual(
      ['customer via mail', 'guest via mail', 'user via mail'],
    );
    expect(done.parts.map(({ workspaceId }: { workspaceId?: string }) => workspaceId)).toEqual([
      workspaceIds.acme,
      workspaceIds.borealis,
      undefined,
    ]);
    const { manifest } = await download(desk, await desk.linkTo(mail, 'd'));
    expect(manifest.leftOut).toEqual([]);
  });

  test('what becomes of an address after the proof does not change whose request it is', async () => {
    const mail = 'frozen@elsewhere.example';
    await write(mail);
    const proven = await prove(mail);
    await desk.db.behindTheScenes(
      `insert into atelier.customers (id, workspace_id, email, name, created_at)
       values (gen_random_uuid(), $1, $2, 'Too late', now())`,
      [workspaceIds.acme, mail],
    );
    expect((await support.get(pathOf(proven.body.requestId))).body.subjects).toEqual([]);
  });

  test('nothing found: fulfilled with outcome no_data, no package, and a mail that says so with the rights', async () => {
    const mail = 'nobody.knows@elsewhere.example';
    const proven = await prove(mail);
    const done = await desk.reached(support, pathOf(proven.body.requestId), 'fulfilled');
    expect(done).toMatchObject({ outcome: 'no_data', package: null, parts: [{ scope: 'account' }] });
    const told = await mailed(mail, /no data/);
    expect(told.text).toMatch(/complain/i);
    expect(told.text).toMatch(/court/i);
    expect(
      await desk.db.behindTheScenes(
        'select 1 from habeas.package_links l join habeas.packages p on p.id = l.package_id where p.job_id = $1',
        [done.id],
      ),
    ).toEqual([]);
  });

  test('a request that nobody proves gets one reminder after 24 hours', async () => {
    const mail = 'forgetful@elsewhere.example';
    await write(mail);
    await later(23 * HOUR);
    expect(await mailsTo(mail)).toHaveLength(1);
    await later(HOUR);
    await mailed(mail, /^Still waiting/);
    await later(HOUR);
    await later(DAY);
    expect(await mailsTo(mail)).toHaveLength(2);
  });

  test('at most five links go out for one request, each good for seven days', async () => {
    const mail = 'five.links@elsewhere.example';
    const { body } = await write(mail);
    const first = await desk.linkTo(mail, 'p');
    for (let sent = 2; sent <= 5; sent++)
      expect((await support.post(`${pathOf(body.id)}/verifications`, { method: 'link' })).status).toBe(201);
    const sixth = await support.post(`${pathOf(body.id)}/verifications`, { method: 'link' });
    expect(sixth).toMatchObject({ status: 409, body: { code: 'verification.too_many' } });
    await later(7 * DAY - 1000);
    expect((await desk.anybody().get(`/p/${first}`)).status).toBe(200);
    await later(1000);
    expect(await act(first, 'confirm')).toMatchObject({
      status: 410,
      body: { code: 'proof.expired' },
    });
  });

  test('a link can be sent again until day 30; then the request is refused under Art. 12(6), with the rights', async () => {
    const mail = 'never.proven@elsewhere.example';
    const { body } = await write(mail);
    await later(30 * DAY - HOUR);
    expect((await support.get(pathOf(body.id))).body.status).toBe('verifying');
    expect((await support.post(`${pathOf(body.id)}/verifications`, { method: 'link' })).status).toBe(201);
    const last = await desk.linkTo(mail, 'p');
    await later(HOUR);
    const refused = (await support.get(pathOf(body.id))).body;
    expect(refused).toMatchObject({
      status: 'refused',
      outcome: null,
      refusals: [{ ground: 'identity_not_proven', source: expect.stringContaining('12(6)') }],
    });
    const told = await mailed(mail, /could not confirm/);
    expect(told.text).toContain('Art. 12(6)');
    expect(told.text).toMatch(/complain/i);
    expect(told.text).toMatch(/court/i);
    expect((await act(last, 'confirm')).body.code).toMatch(/^proof\.(already_used|expired)$/);
    expect(await support.post(`${pathOf(body.id)}/verifications`, { method: 'link' })).toMatchObject({
      status: 409,
      body: { code: 'request.closed' },
    });
  });

  test('staff record what proof they saw instead; the words stay out of the request and its timeline', async () => {
    const mail = demoPeople.neighbour.mail;
    const { body } = await write(mail, { requester: 'Aiko Tanaka', mandate: 'Power of attorney of 3 May' });
    expect(JSON.stringify(body)).not.toMatch(/Aiko|attorney/);
    const seen = 'passport, held against the account by video call';
    const proven = await support.post(`${pathOf(body.id)}/verifications`, { method: 'manual', seen });
    expect(proven.status).toBe(201);
    expect(proven.body.identity.method).toBe('manual');
    expect(JSON.stringify(proven.body)).not.toContain('passport');
    const done = await desk.reached(support, pathOf(body.id), 'fulfilled');
    expect(done.timeline.map(({ action }: { action: string }) => action)).toContain('verification.recorded');
    const [event] = await desk.db.behindTheScenes<{ by: string; all: string }>(
      `select actor_type as by, to_jsonb(e)::text as all from habeas.events e
       where action = 'verification.recorded' and targets @> jsonb_build_array(jsonb_build_object('id', $1::text))`,
      [body.id],
    );
    expect(event?.by).toBe('staff');
    expect(event?.all).not.toContain('passport');
    // For staff, beside their notes; sealed, and forgotten with the rest.
    expect((await support.get(`${pathOf(body.id)}/notes`)).body).toEqual({
      items: [],
      filing: {
        writtenBy: 'letter',
        requester: 'Aiko Tanaka',
        mandate: 'Power of attorney of 3 May',
        seen,
      },
    });
    expect((await support.post(`${pathOf(body.id)}/verifications`, { method: 'manual', seen })).status).toBe(
      409,
    );
  });

  test('unproven requests block nobody, and a duplicate found out at proof is refused with the open one', async () => {
    const mail = demoPeople.admin.mail;
    const [first, second] = [
      await write(mail, { kind: 'deletion' }),
      await write(mail, { kind: 'deletion' }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    const admin = await desk.as('admin');
    const own = await admin.post('/v1/me/requests', { kind: 'deletion' });
    expect(own.status).toBe(201);

    await prove(mail);
    const refused = (await support.get(pathOf(second.body.id))).body;
    expect(refused).toMatchObject({ status: 'refused', refusals: [{ ground: 'duplicate' }] });
    expect(
      refused.timeline.find(({ action }: { action: string }) => action === 'request.refused'),
    ).toMatchObject({
      metadata: { grounds: ['duplicate'], openRequest: own.body.id },
    });
    const told = await mailed(mail, /about your request/);
    expect(told.text).toContain(own.body.id);
    // The other one is as unproven as before.
    expect((await support.get(pathOf(first.body.id))).body.status).toBe('verifying');
  });

  test('two requests proven at the same moment: one is taken up, the other refused with its id', async () => {
    const mail = demoPeople.member.mail;
    const tokens: string[] = [];
    for (let n = 0; n < 2; n++) {
      await write(mail, { kind: 'deletion' });
      await mailsTo(mail);
      tokens.push(await desk.linkTo(mail, 'p'));
    }
    const proven = await Promise.all(tokens.map((token) => act(token, 'confirm')));
    const found = await Promise.all(
      proven.map(async ({ body }) => (await support.get(pathOf(body.requestId))).body),
    );
    expect(found.map(({ status }) => status).sort()).toEqual(['refused', 'scheduled']);
    const [taken, refused] = found.sort((a, b) => (a.status < b.status ? 1 : -1));
    expect(JSON.stringify(refused.timeline)).toContain(taken.id);
  });

  test('after the proof the link shows how things are, and withdraws', async () => {
    const mail = demoPeople.auditor.mail;
    await write(mail, { kind: 'deletion' });
    const token = await desk.linkTo(mail, 'p');
    expect(await act(token, 'withdraw')).toMatchObject({
      body: { code: 'proof.needed' },
    });
    await act(token, 'confirm');
    expect((await desk.anybody().get(`/p/${token}`)).status).toBe(200);
    const gone = await act(token, 'withdraw');
    expect(gone.status).toBe(200);
    expect((await support.get(pathOf(gone.body.requestId))).body.status).toBe('withdrawn');
    await mailed(mail, /withdrawn/i);
  });

  test('within one workspace only its own people are found behind an address', async () => {
    const mail = demoPeople.neighbour.mail;
    const { body } = await write(mail, { workspaceId: workspaceIds.acme, kind: 'access' });
    expect(body).toMatchObject({ scope: 'person', workspaceId: workspaceIds.acme });
    await prove(mail);
    const done = await desk.reached(support, pathOf(body.id, workspaceIds.acme), 'fulfilled');
    expect(done).toMatchObject({ outcome: 'no_data', subjects: [] });
    const missing = await write(mail, { workspaceId: '11111111-1111-4111-8111-111111111111' });
    expect(missing).toMatchObject({ status: 404, body: { code: 'workspace.not_found' } });
  });
});
