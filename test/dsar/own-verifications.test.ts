import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';

describe('a person whose sign-in is stale', () => {
  let desk: TestDesk;
  let member: Caller;
  beforeAll(async () => {
    desk = await TestDesk.open();
    member = await desk.as('member');
    desk.clock.advance(10 * 60_000);
  });
  afterAll(() => desk.close());

  const file = async (more: object = {}): Promise<string> => {
    const filed = await member.post('/v1/me/requests', { kind: 'deletion', ...more });
    expect(filed).toMatchObject({ status: 201, body: { status: 'verifying' } });
    return `/v1/me/requests/${filed.body.id}`;
  };
  const ask = (who: Caller, path: string, body: object = { method: 'link' }) =>
    who.post(`${path}/verifications`, body);

  test('has one more link sent to their own address, until identity is proven', async () => {
    const path = await file();
    const first = await desk.linkTo(demoPeople.member.mail, 'p');
    desk.clock.advance(60_000);
    expect(await ask(member, path)).toMatchObject({
      status: 201,
      body: { status: 'verifying', subjects: [] },
    });
    const { mail } = demoPeople.member;
    const sent = await desk.db.behindTheScenes('select 1 from habeas.request_verifications');
    expect(sent).toHaveLength(2);
    // To no other address than the first went to.
    const proofs = (await desk.mails()).filter(({ text }) => /\/p\/[A-Za-z0-9_-]{64}/.test(text ?? ''));
    expect(new Set(proofs.flatMap(({ to }) => to?.map(({ address }) => address)))).toEqual(new Set([mail]));
    await desk.anybody().post(`/p/${first}`, { action: 'confirm' });
    expect(await ask(member, path)).toMatchObject({ status: 409, body: { code: 'verification.not_needed' } });
  });

  test('finds what they filed in their list, proven or not, and nobody else does', async () => {
    const ids = async (who: Caller) =>
      (await who.get('/v1/me/requests')).body.items.map(({ id }: { id: string }) => id);
    const account = (await file()).split('/').at(-1);
    desk.clock.advance(1000);
    const inAcme = (await file({ scope: 'person', workspaceId: workspaceIds.acme })).split('/').at(-1);
    expect((await ids(member)).slice(0, 2)).toEqual([inAcme, account]);
    for (const name of ['viewer', 'owner', 'support'] as const)
      expect(await ids(await desk.as(name))).toEqual([]);
    // What others filed about them is theirs once the address is proven.
    const support = await desk.as('support');
    const { body } = await support.post('/v1/desk/requests', {
      mail: demoPeople.member.mail,
      channel: 'mail',
    });
    expect(await ids(member)).not.toContain(body.id);
  });

  test('within one workspace as well, and may take it back before it is proven', async () => {
    const path = await file({ scope: 'person', workspaceId: workspaceIds.acme });
    expect((await ask(member, path)).status).toBe(201);
    expect((await member.post(`${path}/withdrawals`)).body.status).toBe('withdrawn');
    expect(await ask(member, path)).toMatchObject({ status: 409, body: { code: 'request.closed' } });
  });

  test('may not say themselves that they were seen, nor ask for what somebody else filed', async () => {
    const path = await file();
    expect((await ask(member, path, { method: 'manual', seen: 'my face' })).status).toBe(400);
    for (const name of ['viewer', 'owner', 'support'] as const)
      expect([name, (await ask(await desk.as(name), path)).status]).toEqual([name, 404]);
    const support = await desk.as('support');
    const { body } = await support.post('/v1/desk/requests', {
      mail: demoPeople.member.mail,
      channel: 'mail',
    });
    expect((await ask(member, `/v1/me/requests/${body.id}`)).status).toBe(404);
  });
});
