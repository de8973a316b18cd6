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
});
