import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { declare, Processor, status } from '../dsar/processor.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const { member } = demoPeople;
const hookSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const MINUTE = 60_000;

const recipients = (url: string) => `
  sessions:
    title: Sign out everywhere
    kind: http
    subjects: [user]
    identifiers: [id]
    when: start
    call: { method: POST, url: "${url}/sessions/ended", body: { user: "{{subject.id}}" } }
  hook:
    title: Search cluster
    kind: webhook
    collections: [messages]
    identifiers: [mail]
    url: ${url}/hook
    secret: HOOK
  crm:
    title: Our CRM
    kind: http
    subjects: [user]
    identifiers: [mail]
    call:
      method: DELETE
      url: "${url}/people/{{subject.mail}}"
      headers: { authorization: "Bearer {{secret.CRM}}" }
    verify: { url: "${url}/people/{{subject.mail}}", headers: { authorization: "Bearer {{secret.CRM}}" } }
  paper:
    title: The archive in the cellar
    kind: manual
    identifiers: [mail]
    instructions: Shred the folder.
  tax:
    title: The tax office
    kind: webhook
    collections: [invoices]
    url: ${url}/tax
    secret: HOOK
  teams:
    title: Told of whole workspaces
    kind: webhook
    scope: [workspace]
    url: ${url}/teams
    secret: HOOK
`;

describe('a member’s account is deleted, and those who had been handed the data are told', () => {
  let desk: TestDesk;
  let processor: Processor;
  let me: Caller;
  let support: Caller;
  let id: string;

  const own = () => `/v1/me/requests/${id}`;
  const atHost = () => `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
  const inAcme = () => `/v1/workspaces/${workspaceIds.acme}/requests/${id}`;
  const items = async (): Promise<any[]> => (await me.get(`${own()}/recipients`)).body.items;
  const one = async (name: string) => (await items()).find((item) => item.name === name);
  const later = async (minutes: number) => {
    desk.clock.advance(minutes * MINUTE);
    [me, support] = [await desk.as('member'), await desk.as('support')];
    await desk.sweep();
  };

  beforeAll(async () => {
    processor = await Processor.open();
    desk = await TestDesk.open({
      environment: { RECIPIENT_HOOK_SECRET: hookSecret, RECIPIENT_CRM_SECRET: 'very-secret' },
    });
    // Receivers of webhooks refuse what was signed long ago by their own clock.
    desk.clock.set(new Date());
    await declare(desk, recipients(processor.url));
    [me, support] = [await desk.as('member'), await desk.as('support')];
  });
  afterAll(async () => {
    await desk.close();
    await processor.close();
  });

  test('sessions end as soon as nothing can be undone, and nobody else is told before the rows have gone', async () => {
    await desk.db.behindTheScenes(`
      create function atelier.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`);
    await desk.db.behindTheScenes(
      'create trigger refuse before update on atelier.users for each row execute function atelier.refuse()',
    );
    processor.on('DELETE /people/', status(503));
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    expect(filed.status).toBe(201);
    id = filed.body.id;
    expect(await items()).toEqual([]);
    await eventually(() => processor.to('POST /sessions/ended').length > 0, 20_000);
    expect(JSON.parse(processor.to('POST /sessions/ended')[0]?.body ?? '')).toEqual({ user: member.userId });
    await eventually(async () => (await one('sessions'))?.status === 'told');
    expect((await items()).map(({ name }) => name)).toEqual(['sessions']);
    expect(processor.to('DELETE')).toEqual([]);
    await desk.db.behindTheScenes('drop trigger refuse on atelier.users');
    await later(2);
  });

  test('a recipient that is down holds up neither the erasure nor its mail', async () => {
    const done = await desk.reached(me, own(), 'fulfilled');
    expect(done.status).toBe('fulfilled');
    await eventually(async () => (await one('crm'))?.failure === 'recipient.answered_503');
    expect(await one('crm')).toMatchObject({ status: 'open', attempts: 1, toldAt: null });
    const mail = await eventually(async () =>
      (await desk.mails()).find(({ subject }) => /has deleted your data/.test(subject ?? '')),
    );
    expect(mail.text).toContain('Our CRM');
    expect(mail.text).toContain('The archive in the cellar');
    const { body: certificate } = await me.get(`${own()}/certificate`);
    expect(certificate.recipients).toEqual(['Our CRM', 'Search cluster', 'The archive in the cellar']);
  });

  test('who never had data of this person hears nothing, and the neighbour is not named', async () => {
    const names = new Set((await items()).map(({ name }) => name));
    expect([...names].sort()).toEqual(['crm', 'hook', 'paper', 'sessions']);
    expect(processor.to('POST /tax')).toEqual([]);
    expect(processor.to('POST /teams')).toEqual([]);
    const told = JSON.stringify(processor.received);
    for (const other of Object.values(demoPeople).filter(({ userId }) => userId !== member.userId))
      expect(told).not.toContain(other.mail);
  });

  test('a webhook is signed as Standard Webhooks say, once for each workspace, with what it asked for and no more', async () => {
    const hooks = (await items()).filter(({ name }) => name === 'hook');
    await eventually(() => processor.to('POST /hook').length >= hooks.length);
    expect(hooks.map(({ workspaceId }) => workspaceId)).toContain(workspaceIds.acme);
    const messages = processor
      .to('POST /hook')
      .map(
        ({ headers, body }) => new Webhook(hookSecret).verify(body, headers as Record<string, string>) as any,
      );
    expect(messages.map(({ data }) => data.workspaceId).sort()).toEqual(
      hooks.map(({ workspaceId }) => workspaceId).sort(),
    );
    const acme = messages.find(({ data }) => data.workspaceId === workspaceIds.acme);
    expect(acme).toMatchObject({ type: 'person.erased', data: { requestId: id } });
    expect(acme.data.people).toContainEqual({ kind: 'user', mail: member.mail });
    expect(JSON.stringify(acme)).not.toContain(member.userId);
    await eventually(async () =>
      (await items()).every(({ name, status: is }) => name !== 'hook' || is === 'told'),
    );
  });

  test('a call is tried again as the same one, and asked about until the data is gone there', async () => {
    processor.on('DELETE /people/', status(202));
    processor.on('GET /people/', status(200));
    await later(2);
    await eventually(async () => (await one('crm'))?.status === 'told');
    const calls = processor.to('DELETE /people/');
    expect(calls).toHaveLength(2);
    expect(calls[0]?.headers['idempotency-key']).toBe(calls[1]?.headers['idempotency-key']);
    expect(calls[1]?.headers.authorization).toBe('Bearer very-secret');
    expect(calls[1]?.path).toBe(`/people/${encodeURIComponent(member.mail)}`);
    await later(2);
    await eventually(async () => (await one('crm'))?.failure === 'recipient.answered_200');
    processor.on('GET /people/', status(404));
    await later(3);
    const crm = await eventually(async () => {
      const it = await one('crm');
      return it.status === 'confirmed' && it;
    });
    expect(crm).toMatchObject({ failure: null, nextAttemptAt: null });
    expect(crm.endedAt).not.toBeNull();
    expect(processor.to('DELETE /people/')).toHaveLength(2);
  });

  test('the lists say nothing about the person, and each workspace sees its own part only', async () => {
    const owner = await desk.as('owner');
    const seen = [
      await me.get(`${own()}/recipients`),
      await support.get(`${atHost()}/recipients`),
      await owner.get(`${inAcme()}/recipients`),
    ];
    for (const { status: code, body } of seen) {
      expect(code).toBe(200);
      expect(JSON.stringify(body)).not.toMatch(new RegExp(`${member.mail}|${member.userId}|127\\.0\\.0\\.1`));
    }
    expect(seen[2]?.body.items.map(({ name }: { name: string }) => name)).toEqual(['hook']);
    const cedar = await desk.as('auditor');
    expect((await cedar.get(`/v1/workspaces/${workspaceIds.cedar}/requests/${id}/recipients`)).status).toBe(
      403,
    );
    expect((await (await desk.as('viewer')).get(`${own()}/recipients`)).status).toBe(404);
  });

  test('what somebody does by hand: whom it is about until it is done, and then nobody knows any more', async () => {
    const looked = await support.get(`${atHost()}/recipients/paper`);
    expect(looked.body).toMatchObject({ kind: 'manual', status: 'open', instructions: 'Shred the folder.' });
    expect(looked.body.people).toContainEqual({ kind: 'user', identifiers: { mail: member.mail } });
    expect(Date.parse(looked.body.dueAt) - Date.parse(looked.body.openedAt)).toBe(14 * 24 * 60 * MINUTE);
    const done = await support.post(`${atHost()}/recipients/paper/confirmations`, { note: 'Shredded.' });
    expect({ status: done.status, is: done.body.status }).toEqual({ status: 201, is: 'done' });
    const after = await support.get(`${atHost()}/recipients/paper`);
    expect(after.body).toMatchObject({ people: [], note: 'Shredded.' });
    const again = await support.post(`${atHost()}/recipients/paper/confirmations`, {});
    expect({ status: again.status, code: again.body.code }).toEqual({
      status: 409,
      code: 'recipient.closed',
    });
  });

  test('nothing that names the person is left with any recipient', async () => {
    const left = await desk.db.behindTheScenes(
      'select recipient from habeas.recipient_tasks where facts_sealed is not null or ended_at is null',
    );
    expect(left).toEqual([]);
    const events = await desk.db.behindTheScenes<{ action: string; named: number; by: string }>(
      `select action, cardinality(subjects)::int as named, actor_type as "by" from habeas.events
       where action like 'recipient.%' order by id`,
    );
    // Before the log forgot them it may have known; those who act later are staff.
    const byJobs = events.filter(({ by }) => by === 'job');
    expect(byJobs.every(({ named }) => named === 0)).toBe(true);
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'recipient.opened',
        'recipient.told',
        'recipient.confirmed',
        'recipient.viewed',
      ]),
    );
  });
});
