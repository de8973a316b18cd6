import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { TestDesk } from '../support/desk.js';

// Each takes something away that a lookup at filing reads: the person themselves, and what leads to their workspaces.
const changes = [
  ['the mails of the people', 'atelier.users', 'email', 'admin'],
  ['who wrote a message', 'atelier.messages', 'author_id', 'member'],
  ['who is in a workspace', 'atelier.memberships', 'role', 'viewer'],
] as const;

describe('the host changes its schema under us', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open();
  });
  afterAll(() => desk.close());

  test.each(changes)(
    'without %s filing goes on, and the package waits until the map fits',
    async (_, table, column, name) => {
      const person = await desk.as(name);
      await desk.db.behindTheScenes(`alter table ${table} rename ${column} to moved_away`);
      try {
        const filed = await person.post('/v1/me/requests', { kind: 'access' });
        expect(filed.status).toBe(201);
        expect(filed.body.dueOn).toMatch(/^\d{4}-\d\d-\d\d$/);
        const path = `/v1/me/requests/${filed.body.id}`;

        // The service notices within a minute; from then on it says why it waits, and names no table to the person.
        await desk.lookAtHost();
        const waiting = await person.get(path);
        expect(waiting.status).toBe(200);
        expect(waiting.body.blockers.map(({ code }: { code: string }) => code)).toContain('datamap.drift');
        expect(JSON.stringify(waiting.body.blockers)).not.toContain(table.split('.')[1]);
        const queue = await (await desk.as('support')).get('/v1/desk/requests');
        expect(queue.body.items.find(({ id }: { id: string }) => id === filed.body.id).waitingFor).toContain(
          'data map',
        );
        expect(
          (
            await desk
              .as('support')
              .then((support) =>
                support.post('/v1/desk/requests', { mail: `${name}@elsewhere.example`, channel: 'mail' }),
              )
          ).status,
        ).toBe(201);

        await desk.db.behindTheScenes(`alter table ${table} rename moved_away to ${column}`);
        await desk.lookAtHost();
        desk.clock.advance(5 * 60_000);
        await desk.sweep();
        const done = await desk.reached(person, path, 'fulfilled');
        expect(done.outcome).toBe('full');
        expect(done.parts.length).toBeGreaterThan(1);
        await desk.linkTo(demoPeople[name].mail, 'd');
      } finally {
        await desk.db.behindTheScenes(
          `do $$ begin alter table ${table} rename moved_away to ${column}; exception when undefined_column then null; end $$`,
        );
      }
    },
  );

  test('what could not be found out at filing is found out before the run: who else the person is, their mail, their parts', async () => {
    const member = await desk.as('member');
    const whole = await member.get('/v1/me/data');
    await desk.db.behindTheScenes('alter table atelier.users rename email to moved_away');
    const filed = await member.post('/v1/me/requests', { kind: 'access' });
    expect(filed.body.subjects).toHaveLength(1);
    await desk.db.behindTheScenes('alter table atelier.users rename moved_away to email');
    desk.clock.advance(5 * 60_000);
    await desk.sweep();

    const done = await desk.reached(member, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    expect(done.subjects.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['customer', 'user']);
    expect(done.parts).toHaveLength(3);
    const { body } = await member.get(`/v1/me/requests/${filed.body.id}/package`);
    const rows = (files: { collection: string; rows: number }[]) =>
      files.find(({ collection }) => collection === 'messages')?.rows;
    const counted = whole.body.collections.find(({ name }: { name: string }) => name === 'messages').rows;
    expect(rows(body.manifest.data)).toBe(counted);
    expect(done.dueOn <= filed.body.dueOn).toBe(true);
  });

  test('an address is proven though nobody can be looked up, and the request goes on once they can', async () => {
    const support = await desk.as('support');
    const { mail } = demoPeople.owner;
    const { body } = await support.post('/v1/desk/requests', { mail, channel: 'mail' });
    const token = await desk.linkTo(mail, 'p');
    await desk.db.behindTheScenes('alter table atelier.users rename email to moved_away');
    const proven = await desk
      .anybody()
      .post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
    expect(proven.status).toBe(200);
    await desk.db.behindTheScenes('alter table atelier.users rename moved_away to email');
    desk.clock.advance(5 * 60_000);
    await desk.sweep();
    const owner = await desk.as('owner');
    const done = await desk.reached(owner, `/v1/me/requests/${body.id}`, 'fulfilled');
    expect(done).toMatchObject({
      outcome: 'full',
      subjects: [{ kind: 'user', key: demoPeople.owner.userId, via: 'mail' }],
    });
  });

  test('a workspace’s own request is filed without knowing where its link goes, and its owner gets the link', async () => {
    const owner = await desk.as('owner');
    const path = `/v1/workspaces/${demoPeople.owner.workspaceId}/requests`;
    await desk.db.behindTheScenes('alter table atelier.users rename email to moved_away');
    const filed = await owner.post(path, { kind: 'access', scope: 'workspace' });
    expect(filed.status).toBe(201);
    expect(
      (
        await owner.post(path, {
          kind: 'access',
          scope: 'person',
          subject: { kind: 'user', key: demoPeople.viewer.userId },
        })
      ).status,
    ).toBe(503);
    await desk.db.behindTheScenes('alter table atelier.users rename moved_away to email');
    desk.clock.advance(5 * 60_000);
    await desk.sweep();
    await desk.reached(owner, `${path}/${filed.body.id}`, 'fulfilled');
    const subjects = (await desk.mails()).map(({ subject }) => subject);
    expect(subjects.some((subject) => /workspace/i.test(subject ?? ''))).toBe(true);
  });
});
