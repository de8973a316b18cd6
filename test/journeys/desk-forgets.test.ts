import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const DAY = 86_400_000;
const { acme } = workspaceIds;
const mail = demoPeople.viewer.mail;

describe('what a closed request knew of its person is forgotten', () => {
  let desk: TestDesk;
  let support: Caller;
  let id: string;
  let ended: number;
  beforeAll(async () => {
    desk = await TestDesk.open({ environment: { REQUEST_RETENTION: 'P36M' } });
    support = await desk.as('support');
    await (await desk.as('owner')).put(`/v1/workspaces/${acme}/controller`, { approvals: 'approve' });
  });
  afterAll(() => desk.close());

  const path = () => `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
  const at = async (moment: number) => {
    desk.clock.set(new Date(moment));
    support = await desk.as('support');
    await desk.sweep();
  };
  /** Every row of ours that is about the request, as text; ciphertext is shown as such. */
  const rows = async (table: string, column = 'request_id') =>
    (
      await desk.db.behindTheScenes<{ row: Record<string, unknown> }>(
        `select to_jsonb(t) as row from habeas.${table} t where ${column} = $1`,
        [id],
      )
    ).map(({ row }) => row);

  test('while it runs, and until 30 days after its last link ended, it is kept: sealed', async () => {
    const { body } = await support.post('/v1/desk/requests', {
      mail,
      channel: 'phone',
      requester: 'Her sister',
      mandate: 'A letter of 1 May',
      language: 'sv',
      jurisdiction: 'DE',
    });
    id = body.id;
    await support.post(`${path()}/pauses`, { reason: 'Two Veras', needed: 'Your birthday' });
    await support.post(`${path()}/extensions`, { reason: 'Many letters' });
    await support.post(`${path()}/verifications`, { method: 'manual', seen: 'her passport' });
    await support.post(`${path()}/notes`, { text: 'Sounds like her sister' });
    await support.post(`${path()}/refusals`, {
      ground: 'rights_of_others',
      part: acme,
      explanation: 'Your sister wrote them',
    });
    await desk.reached(support, path(), 'fulfilled');
    await eventually(async () => (await desk.mails()).some(({ subject }) => /is ready/.test(subject ?? '')));
    // A week later a new link: the package is built anew, and with it a new week begins.
    desk.clock.advance(8 * DAY);
    support = await desk.as('support');
    await desk.sweep();
    expect((await support.post(`${path()}/package/links`)).body.status).toBe('rebuilding');
    await eventually(async () => (await support.get(path())).body.package.status === 'ready');
    ended = Date.parse((await support.get(path())).body.package.expiresAt);
    await at(ended + 30 * DAY - 1000);
    const [request] = await rows('requests', 'id');
    expect(request).toMatchObject({ language: 'sv', contact_wiped_at: null });
    expect(request?.mail_sealed).toBeTruthy();
    expect(await rows('request_subjects')).toHaveLength(1);
    expect(await rows('request_notes')).toHaveLength(1);
    const ours = JSON.stringify([request, await rows('request_notes'), await rows('request_pauses')]);
    expect(ours).not.toMatch(/Vera|sister|letters|birthday/);
  });

  test('then the address, the details, the subjects, the notes and every word go, and the event says so', async () => {
    await at(ended + 30 * DAY);
    const [request] = await rows('requests', 'id');
    expect(request).toMatchObject({ mail_sealed: null, details_sealed: null, language: null });
    for (const table of ['request_subjects', 'request_notes', 'request_verifications'])
      expect([table, await rows(table)]).toEqual([table, []]);
    expect(await rows('request_refusals')).toMatchObject([
      { ground: 'rights_of_others', explanation_sealed: null },
    ]);
    expect(await rows('request_extensions')).toMatchObject([{ reason_sealed: null }]);
    expect(await rows('request_pauses')).toMatchObject([{ reason_sealed: null }]);
    for (const { manifest } of await rows('packages', 'job_id'))
      expect(manifest).toMatchObject({ subjects: [], files: [], missingFiles: [] });
    for (const mailRow of await rows('outbox', 'about'))
      expect(mailRow).toMatchObject({ recipient_sealed: null, params_sealed: null });
    const wiped = await desk.db.behindTheScenes(
      `select 1 from habeas.events where action = 'request.contact_wiped' and targets @> jsonb_build_array(jsonb_build_object('id', $1::text))`,
      [id],
    );
    expect(wiped).toHaveLength(1);
    await desk.sweep();
    expect((await rows('requests', 'id'))[0]?.contact_wiped_at).toEqual(request?.contact_wiped_at);
  });

  test('what proves compliance stays: id, kind, dates, law, outcome, ground and the keyed hash of the mail', async () => {
    const { body } = await support.get(path());
    expect(body).toMatchObject({
      id,
      kind: 'access',
      status: 'fulfilled',
      outcome: 'partial',
      law: 'gdpr',
      jurisdiction: 'DE',
      dueOn: expect.any(String),
      receivedAt: expect.any(String),
      closedAt: expect.any(String),
      subjects: [],
      refusals: [{ ground: 'rights_of_others', part: acme }],
      identity: { method: 'manual' },
      clock: { extended: true },
    });
    const [request] = await rows('requests', 'id');
    expect(request?.mail_digest).toMatch(/^\\x[0-9a-f]{64}$/);
    // Nobody can be written to, or written about, any more.
    expect((await support.post(`${path()}/package/links`)).body.code).toBe('package.address_gone');
    expect((await support.post(`${path()}/notes`, { text: 'Who was she?' })).body.code).toBe(
      'request.forgotten',
    );
    expect((await (await desk.as('viewer')).get(`/v1/me/requests/${id}`)).status).toBe(404);
  });

  test('what nobody ever proved is forgotten as well', async () => {
    const unproven = await support.post('/v1/desk/requests', {
      mail: 'nobody@elsewhere.example',
      channel: 'mail',
    });
    const proof = id;
    id = unproven.body.id;
    const start = desk.clock.now().getTime();
    await at(start + 30 * DAY);
    expect((await support.get(path())).body.status).toBe('refused');
    await at(start + 60 * DAY - 1000);
    expect((await rows('requests', 'id'))[0]?.mail_sealed).toBeTruthy();
    await at(start + 60 * DAY);
    expect((await rows('requests', 'id'))[0]?.mail_sealed).toBeNull();
    id = proof;
  });

  test('after REQUEST_RETENTION the rest goes too; the log stays', async () => {
    const [{ closed }] = (await desk.db.behindTheScenes<{ closed: Date }>(
      `select closed_at + interval '36 months' as closed from habeas.requests where id = $1`,
      [id],
    )) as [{ closed: Date }];
    await at(closed.getTime() - DAY);
    expect(await rows('requests', 'id')).toHaveLength(1);
    await at(closed.getTime() + DAY);
    for (const [table, column] of [
      ['requests', 'id'],
      ['request_parts', 'request_id'],
      ['request_extensions', 'request_id'],
      ['request_refusals', 'request_id'],
    ] as const)
      expect([table, await rows(table, column)]).toEqual([table, []]);
    expect((await support.get(path())).status).toBe(404);
    const [log] = await desk.db.behindTheScenes<{ n: number }>(
      `select count(*)::int as n from habeas.events where targets @> jsonb_build_array(jsonb_build_object('id', $1::text))`,
      [id],
    );
    expect(log?.n).toBeGreaterThan(5);
  });
});
