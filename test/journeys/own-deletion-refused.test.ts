import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const HOUR = 3_600_000;
const { member, neighbour } = demoPeople;

describe('what still stands in the way near the law’s date', () => {
  let desk: TestDesk;
  let support: Caller;
  beforeEach(async () => {
    desk = await TestDesk.open();
  });
  afterEach(() => desk.close());

  const settled = async () => {
    await desk.sweep();
    await eventually(async () => {
      const busy = `select 1 from habeas_jobs.job where state in ('created', 'active', 'retry') limit 1`;
      return (await desk.db.behindTheScenes(busy)).length === 0;
    }, 20_000);
  };
  const hold = async (workspace: string, more: object) => {
    support = await desk.as('support');
    const answer = await support.post(`/v1/workspaces/${workspace}/holds`, {
      subject: { kind: 'user', key: member.userId },
      ground: 'Claim 7 O 12/26, Landgericht Berlin',
      disclosable: true,
      reviewOn: '2027-01-31',
      ...more,
    });
    expect(answer.status).toBe(201);
    return answer.body.id as string;
  };
  /** On the first day that counts, whoever looks then. */
  const nearTheDate = async (dueOn: string) => {
    desk.clock.set(`${dueOn}T12:00:00Z`);
    desk.clock.advance(-3 * 24 * HOUR);
    await settled();
    support = await desk.as('support');
  };
  const fileOwn = async () => {
    const me = await desk.as('member');
    const { body } = await me.post('/v1/me/requests', { kind: 'deletion' });
    return body as { id: string; dueOn: string };
  };
  const onDesk = (id: string) => `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
  const written = async (table: string, column: string) =>
    desk.db.behindTheScenes(`select * from atelier.${table} where ${column} = $1`, [member.userId]);
  const mailsTo = async ({ mail }: { mail: string }, words: RegExp) =>
    (await desk.mails()).filter(({ to, subject }) => to?.[0]?.address === mail && words.test(subject ?? ''));
  const mailTo = (words: RegExp, whom = member) => eventually(async () => (await mailsTo(whom, words))[0]);
  const occurrences = (text: string | undefined, words: RegExp) => text?.match(words)?.length;

  test('a hold on one collection: accepted, the rest goes, and the person hears what stays and why', async () => {
    await hold(workspaceIds.acme, { collection: 'messages' });
    const before = await written('messages', 'author_id');
    expect(before.length).toBeGreaterThan(0);
    const { id, dueOn } = await fileOwn();
    expect((await (await desk.as('support')).get(onDesk(id))).body.preparedRefusal).toBeUndefined();
    await nearTheDate(dueOn);

    const seen = (await support.get(onDesk(id))).body;
    expect(seen).toMatchObject({ status: 'scheduled', failure: { code: 'deletion.held' } });
    const { preparedRefusal: prepared } = seen;
    expect(prepared).toMatchObject({
      scope: 'partial',
      reasons: [{ blocker: 'held', ground: 'legal_claims' }],
    });
    expect(prepared.reasons[0].letter.join(' ')).toContain('7 O 12/26');
    expect(prepared.rights.join(' ')).toMatch(/supervisory authority|complain/i);
    const kept = prepared.reasons[0].keeps.flatMap(
      ({ collections }: { collections: { collection: string }[] }) =>
        collections.map(({ collection }) => collection),
    );
    expect(kept).toContain('messages');
    // A message points at its room, which therefore stays a room.
    expect(kept).not.toContain('memberships');
    const listed = await support.get('/v1/desk/requests?show=stuck');
    expect(listed.body.items[0].waitingFor).toContain('a blocker');
    expect(
      (await (await desk.as('member')).get(`/v1/me/requests/${id}`)).body.preparedRefusal,
    ).toBeUndefined();

    expect((await support.post(`${onDesk(id)}/refusals`, { prepared: '0'.repeat(32) })).status).toBe(409);
    expect((await support.post(`${onDesk(id)}/refusals`, { prepared: prepared.id })).status).toBe(201);
    await settled();
    const done = await desk.reached(support, onDesk(id), 'fulfilled');
    expect(done.outcome).toBe('partial');
    expect(await written('messages', 'author_id')).toEqual(before);
    expect(await written('memberships', 'user_id')).toEqual([]);
    const letter = await mailTo(/part of your request/);
    expect(letter.text).toContain('7 O 12/26');
    const last = await mailTo(/has deleted your data/);
    expect(last.text).toMatch(/What we keep, and why[^]*Messages you wrote/);
    const certificate = (await support.get(`${onDesk(id)}/certificate`)).body;
    expect(certificate.collections).toContainEqual(
      expect.objectContaining({
        collection: 'messages',
        rule: 'keep',
        ground: expect.stringContaining('17(3)(e)'),
      }),
    );
    expect(JSON.stringify(certificate)).not.toContain('7 O 12/26');
  });

  test('a hold on a workspace’s part, not to be told: that part stays, and no word of the hold goes out', async () => {
    await hold(workspaceIds.acme, { disclosable: false });
    const { id, dueOn } = await fileOwn();
    await nearTheDate(dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(id))).body;
    expect(prepared).toMatchObject({ scope: 'partial', reasons: [{ ground: 'national_restriction' }] });
    expect(prepared.reasons[0].keeps).toContainEqual(
      expect.objectContaining({ workspaceId: workspaceIds.acme, everything: true }),
    );
    expect(JSON.stringify(prepared)).not.toContain('7 O 12/26');
    expect((await support.post(`${onDesk(id)}/refusals`, { prepared: prepared.id })).status).toBe(201);
    await settled();
    expect((await desk.reached(support, onDesk(id), 'fulfilled')).outcome).toBe('partial');
    expect(await written('memberships', 'user_id')).toHaveLength(1);
    const [user] = (await written('users', 'id')) as { email: string }[];
    expect(user?.email).toMatch(/deleted\.invalid$/);
    const letter = await mailTo(/part of your request/);
    expect(letter.text).toContain('some of the data');
    expect(letter.text).not.toMatch(/7 O 12|Landgericht|hold/i);
  });

  test('a hold of the host on everything: the whole is refused, with the rights, and nothing is touched', async () => {
    await hold(HOST_TENANT, {});
    const { id, dueOn } = await fileOwn();
    await nearTheDate(dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(id))).body;
    expect(prepared.scope).toBe('full');
    expect((await support.post(`${onDesk(id)}/refusals`, { prepared: prepared.id })).body.status).toBe(
      'refused',
    );
    const letter = await mailTo(/about your request/);
    expect(letter.text).toContain('7 O 12/26');
    expect(await written('memberships', 'user_id')).toHaveLength(1);
  });

  test('a hold and a sole owner at once: one letter gives each ground with its reason, and the rights once', async () => {
    await hold(HOST_TENANT, { subject: { kind: 'user', key: neighbour.userId } });
    const { body } = await (await desk.as('neighbour')).post('/v1/me/requests', { kind: 'deletion' });
    await nearTheDate(body.dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(body.id))).body;
    expect(prepared).toMatchObject({
      scope: 'full',
      reasons: [{ blocker: 'held' }, { blocker: 'sole_owner', ground: 'still_needed' }],
    });
    const { body: refused } = await support.post(`${onDesk(body.id)}/refusals`, { prepared: prepared.id });
    expect(refused).toMatchObject({
      status: 'refused',
      refusals: prepared.reasons.map(({ ground }: { ground: string }) => ({ ground, part: null })),
    });
    const { text } = await mailTo(/about your request/, neighbour);
    for (const { letter } of prepared.reasons)
      for (const paragraph of letter) expect(text?.replace(/\s+/g, ' ')).toContain(paragraph);
    expect(text).toContain('7 O 12/26');
    expect(text).toMatch(/only owner of a\s+workspace/);
    expect(occurrences(text, /If you disagree/g)).toBe(1);
    expect(await mailsTo(neighbour, /about (a part of )?your request/)).toHaveLength(1);
    const told = refused.timeline.find(({ action }: { action: string }) => action === 'request.refused');
    expect(told.metadata.grounds).toEqual(['legal_claims', 'still_needed']);
  });

  test('two holds on the same rows: one letter names both, and the certificate its ground once', async () => {
    await hold(workspaceIds.acme, { collection: 'messages' });
    await hold(workspaceIds.acme, { collection: 'messages', ground: 'Claim 9 U 3/27, Kammergericht' });
    const { id, dueOn } = await fileOwn();
    await nearTheDate(dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(id))).body;
    expect(prepared).toMatchObject({ scope: 'partial', reasons: [{ blocker: 'held' }, { blocker: 'held' }] });
    expect((await support.post(`${onDesk(id)}/refusals`, { prepared: prepared.id })).status).toBe(201);
    await settled();
    await desk.reached(support, onDesk(id), 'fulfilled');
    const { text } = await mailTo(/part of your request/);
    expect(text).toContain('7 O 12/26');
    expect(text).toContain('9 U 3/27');
    expect(occurrences(text, /If you disagree/g)).toBe(1);
    expect(await mailsTo(member, /part of your request/)).toHaveLength(1);
    const { collections } = (await support.get(`${onDesk(id)}/certificate`)).body;
    const kept = collections.find(({ collection }: { collection: string }) => collection === 'messages');
    expect(occurrences(kept.ground, /17\(3\)\(e\)/g)).toBe(1);
  });

  test('what was read is what is accepted: a second hold in between makes it another refusal', async () => {
    await hold(workspaceIds.acme, { collection: 'messages' });
    const { id, dueOn } = await fileOwn();
    await nearTheDate(dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(id))).body;
    await hold(workspaceIds.acme, { collection: 'integrations' });
    const answer = await support.post(`${onDesk(id)}/refusals`, { prepared: prepared.id });
    expect({ status: answer.status, code: answer.body.code }).toEqual({
      status: 409,
      code: 'refusal.changed',
    });
  });

  test('the same blocker is told once, however often it is looked at', async () => {
    await hold(workspaceIds.acme, { collection: 'messages' });
    const { id, dueOn } = await fileOwn();
    await nearTheDate(dueOn);
    for (let round = 0; round < 3; round++) {
      desk.clock.advance(HOUR / 4);
      await settled();
    }
    support = await desk.as('support');
    const { timeline } = (await support.get(onDesk(id))).body;
    expect(timeline.filter(({ action }: { action: string }) => action === 'request.blocked')).toHaveLength(1);
  });

  test('the only owner of a workspace: their account and that workspace stay, what is elsewhere may go', async () => {
    const { body } = await (await desk.as('neighbour')).post('/v1/me/requests', { kind: 'deletion' });
    await nearTheDate(body.dueOn);
    const { preparedRefusal: prepared } = (await support.get(onDesk(body.id))).body;
    expect(prepared.reasons).toMatchObject([{ blocker: 'sole_owner', ground: 'still_needed' }]);
    expect(prepared.reasons[0].letter.join(' ')).toMatch(/somebody else an owner/);
    const answer = await support.post(`${onDesk(body.id)}/refusals`, { prepared: prepared.id });
    expect(answer.status).toBe(201);
  });
});
