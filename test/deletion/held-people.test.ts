import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const { acme } = workspaceIds;
const { member } = demoPeople;
const HOUR = 3_600_000;
const path = `/v1/workspaces/${acme}/holds`;
const words = { ground: 'Claim 7 O 12/26', reviewOn: '2027-01-31' };

describe('a hold about a person', () => {
  let desk: TestDesk;
  let support: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    support = await desk.as('support');
  });
  afterAll(() => desk.close());

  const rows = (sql: string) => desk.db.behindTheScenes(sql, [`%${member.mail}%`]);

  test('that names nobody, or no collection, is refused: it would keep nothing', async () => {
    const nobodies = [
      { kind: 'users', key: member.userId },
      { kind: 'constructor', key: member.userId },
      { kind: 'user', key: member.mail },
      { kind: 'user', key: '00000000-0000-4000-a000-00000000ffff' },
    ];
    for (const subject of nobodies) {
      const { status, body } = await support.post(path, { ...words, subject });
      expect([status, body.code]).toEqual([422, 'hold.unknown_subject']);
    }
    for (const collection of ['mesages', 'constructor', 'packages']) {
      const { status, body } = await support.post(path, { ...words, collection });
      expect([status, body.code]).toEqual([422, 'hold.unknown_collection']);
    }
    expect(await rows('select 1 from habeas.pseudonyms where subject_key ilike $1')).toEqual([]);
  });

  test('stands under the key that requests know them by, however it was written', async () => {
    for (const [kind, key, known] of [
      ['user', member.userId.toUpperCase(), member.userId],
      ['guest', ' Gustav.Guest@Elsewhere.example ', 'gustav.guest@elsewhere.example'],
    ]) {
      const { status, body } = await support.post(path, { ...words, subject: { kind, key } });
      expect(status).toBe(201);
      expect(body.subject).toEqual({ kind, key: known });
      await support.delete(`${path}/${body.id}`);
    }
  });

  /** Somebody of whom only an address is known. */
  const someGuest = async (): Promise<{ mail: string; workspace: string }> => {
    const [guest] = await desk.db.behindTheScenes<{ mail: string; workspace: string }>(
      `select lower(invited_email) as mail, r.workspace_id as workspace from atelier.workroom_invitations i
       join atelier.workrooms r on r.id = i.workroom_id
       where invited_user is null
         and not exists (select from atelier.users u where lower(u.email) = lower(i.invited_email))
         and not exists (select from atelier.customers c where lower(c.email) = lower(i.invited_email))
       limit 1`,
    );
    if (!guest) throw new Error('the demo has nobody who was only invited');
    return guest;
  };

  test('does not outlive them once it is released: it would be what an erasure leaves', async () => {
    const { mail, workspace } = await someGuest();
    const there = `/v1/workspaces/${workspace}/holds`;
    const { status, body } = await support.post(there, {
      ...words,
      ground: `Claim of ${mail}`,
      subject: { kind: 'guest', key: mail },
    });
    expect(status).toBe(201);
    await support.delete(`${there}/${body.id}`);
    const filed = await support.post('/v1/desk/requests', { kind: 'deletion', mail, channel: 'letter' });
    const token = await desk.linkTo(mail, 'p');
    await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    desk.clock.advance(25 * HOUR);
    await desk.sweep();
    support = await desk.as('support');
    await desk.reached(support, `/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`, 'fulfilled');
    const left = 'select 1 from habeas.holds where subject_key ilike $1 or ground ilike $1';
    expect(await desk.db.behindTheScenes(left, [`%${mail}%`])).toEqual([]);
  });

  test('in force, it is no residue of an erasure that went around what it keeps', async () => {
    const [customer] = await desk.db.behindTheScenes<{ id: string; mail: string }>(
      `select c.id, lower(c.email) as mail from atelier.customers c
       where c.workspace_id = '${acme}' and exists (select from atelier.messages m where m.customer_id = c.id)
         and not exists (select from atelier.users u where lower(u.email) = lower(c.email)) limit 1`,
    );
    const subject = { kind: 'customer', key: customer?.id };
    expect((await support.post(path, { ...words, subject, collection: 'messages' })).status).toBe(201);
    const mail = customer?.mail;
    const filed = await support.post('/v1/desk/requests', { kind: 'deletion', mail, channel: 'letter' });
    const token = await desk.linkTo(mail ?? '', 'p');
    await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    desk.clock.set(`${filed.body.dueOn}T12:00:00Z`);
    desk.clock.advance(-3 * 24 * HOUR);
    await desk.sweep();
    support = await desk.as('support');
    const request = `/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`;
    const prepared = await eventually(async () => (await support.get(request)).body.preparedRefusal);
    expect(prepared.scope).toBe('partial');
    expect((await support.post(`${request}/refusals`, { prepared: prepared.id })).status).toBe(201);
    await desk.sweep();
    expect((await desk.reached(support, request, 'fulfilled')).outcome).toBe('partial');
  });
});
