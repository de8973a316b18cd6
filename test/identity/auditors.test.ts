import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { acme, type Crew, crew, type Name, people } from './host.js';

const auditors = `/v1/workspaces/${acme}/auditors`;
const { userId, mail } = people.outsider;

let it: Crew;
beforeAll(async () => {
  it = await crew();
});
afterAll(() => it.close());

const look = async (name: Name = 'outsider') =>
  (await it.call('GET', `/probe/in/${acme}/requests`, name)).status;
async function granted(body: object): Promise<string> {
  const answer = await it.call('POST', auditors, 'owner', body);
  expect(answer).toMatchObject({ status: 201, body: { userId } });
  return answer.body.id as string;
}
const revoke = (id: string, as: Name = 'owner') => it.call('DELETE', `${auditors}/${id}`, as);

describe('an auditor', () => {
  test('need not be a member, and is in with the next call and out with the one after the revocation', async () => {
    expect(await look()).toBe(404);
    const id = await granted({ userId });
    expect(await look()).toBe(200);
    expect((await it.call('POST', `/probe/in/${acme}/requests`, 'outsider')).status).toBe(403);
    expect((await revoke(id)).status).toBe(204);
    expect(await look()).toBe(404);
    expect((await revoke(id)).status).toBe(204);
  });

  test('may be named by a mail that the host knows, however it is written', async () => {
    const id = await granted({ mail: ` ${mail.toUpperCase()} ` });
    expect(await look()).toBe(200);
    await revoke(id);
  });

  test('is nobody whom the host does not know, nor one of two with the same mail', async () => {
    await it.db
      .behindTheScenes(`insert into crew.people values (gen_random_uuid(), 'twice@crew.example', 'A'),
                                                               (gen_random_uuid(), 'Twice@crew.example', 'B')`);
    for (const body of [
      { userId: '00000000-0000-4000-a000-0000000000ff' },
      { userId: 'no uuid' },
      { mail: 'nobody@crew.example' },
      { mail: 'twice@crew.example' },
    ])
      expect(await it.call('POST', auditors, 'owner', body)).toMatchObject({
        status: 404,
        body: { code: 'person.not_found' },
      });
  });

  test('is out when the time is over, and can then be let in again', async () => {
    const before = it.clock.now();
    const expiresAt = new Date(before.getTime() + 60_000).toISOString();
    await granted({ userId, expiresAt });
    expect(await it.call('POST', auditors, 'owner', { userId })).toMatchObject({
      status: 409,
      body: { code: 'auditor.already_granted' },
    });
    it.clock.set(expiresAt);
    expect(await look()).toBe(404);
    const id = await granted({ userId });
    expect(await look()).toBe(200);
    await revoke(id);
    it.clock.set(before);
  });

  test('is out when they leave the host, whatever was granted', async () => {
    const id = await granted({ userId });
    await it.db.behindTheScenes(`update crew.people set left_at = now() where id = $1`, [userId]);
    expect(await look()).toBe(404);
    await it.db.behindTheScenes(`update crew.people set left_at = null where id = $1`, [userId]);
    expect(await look()).toBe(200);
    await revoke(id);
  });

  test('is let in by an owner alone; an admin sees the list', async () => {
    const grant = async (name: Name) => (await it.call('POST', auditors, name, { userId })).status;
    for (const name of ['admin', 'member', 'viewer', 'support', 'privacy-lead'] as const)
      expect(await grant(name)).toBe(403);
    expect(await grant('neighbour')).toBe(404);
    expect((await it.call('GET', auditors, 'admin')).status).toBe(200);
    expect((await it.call('GET', auditors, 'member')).status).toBe(403);
  });

  test('is let in once when two owners ask at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => it.call('POST', auditors, 'owner', { userId })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await revoke(answers.find(({ status }) => status === 201)?.body.id as string);
  });

  test('is in the log as a pseudonym, both when let in and when shown out', async () => {
    const id = await granted({ userId });
    await revoke(id);
    const events = await it.db.behindTheScenes<{ action: string; subjects: string[]; whole: string }>(
      `select action, subjects, e::text as whole from habeas.events e
       where targets @> jsonb_build_array(jsonb_build_object('id', $1::text)) order by id`,
      [id],
    );
    expect(events.map(({ action }) => action)).toEqual(['auditor.granted', 'auditor.revoked']);
    for (const { subjects, whole } of events) {
      expect(subjects).toHaveLength(2);
      expect(whole).not.toContain(userId);
    }
  });

  test.each([
    {},
    { userId, mail },
    { userId: '' },
    { userId: 'x'.repeat(401) },
    { mail: 'a\u0000@b' },
    { userId, expiresAt: 'soon' },
    { userId, role: 'owner' },
  ])('is not made of %j', async (body) => {
    expect((await it.call('POST', auditors, 'owner', body)).status).toBe(400);
  });

  test('is not let in until a time that has passed', async () => {
    expect(
      await it.call('POST', auditors, 'owner', { userId, expiresAt: '2020-01-01T00:00:00Z' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'auditor.expiry_in_past' },
    });
  });

  test('of another workspace is not there to be shown out', async () => {
    const id = await granted({ userId });
    expect(
      (await it.call('DELETE', `/v1/workspaces/${people.neighbour.workspaceId}/auditors/${id}`, 'neighbour'))
        .status,
    ).toBe(404);
    expect(await look()).toBe(200);
    await revoke(id);
  });
});
