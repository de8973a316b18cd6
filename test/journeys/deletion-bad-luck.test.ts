import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { unavailable } from '../../src/storage/object-store.js';
import { type Caller, TestDesk } from '../support/desk.js';

const MINUTE = 60_000;
const { member } = demoPeople;

describe('a person’s deletion meets bad luck', () => {
  let desk: TestDesk;
  let me: Caller;
  let id: string;
  let storage: 'well' | 'answers 500';
  beforeEach(async () => {
    storage = 'well';
    desk = await TestDesk.open({
      work: false,
      stores: (real) => ({
        bucket: (name) =>
          name.startsWith('dsar-exports')
            ? real.bucket(name)
            : Object.assign(Object.create(real.bucket(name)) as ReturnType<typeof real.bucket>, {
                remove: (paths: readonly string[]) =>
                  storage === 'well'
                    ? real.bucket(name).remove(paths)
                    : Promise.reject(unavailable('remove objects', new Error('HTTP 500'))),
              }),
      }),
    });
    me = await desk.as('member');
  });
  afterEach(() => desk.close());

  const sql = <Row>(text: string, values: unknown[] = []) => desk.db.behindTheScenes<Row>(text, values);
  const file = async (scope: object = {}) => {
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S', ...scope });
    expect(filed.status).toBe(201);
    id = filed.body.id as string;
  };
  const run = async (tenant: string = HOST_TENANT) => {
    await desk.app.get(DeletionFulfilment).run({ tenant, id });
    const [row] = await sql<{ status: string; failure: { code: string; message: string } | null }>(
      'select status, failure from habeas.requests where id = $1',
      [id],
    );
    return row;
  };
  const wrote = async () =>
    (
      await sql<{ n: number }>('select count(*)::int as n from atelier.messages where author_id = $1', [
        member.userId,
      ])
    )[0]?.n;
  const retried = async () => {
    const support = await desk.as('support');
    const retry = await support.post(`/v1/workspaces/${HOST_TENANT}/requests/${id}/retries`);
    expect(retry.status).toBe(201);
    return run();
  };

  test.each([
    ['at once', ''],
    ['at the end of the transaction', 'deferrable initially deferred'],
  ])(
    'a foreign key unknown to the map, checked %s: failed, on the desk, the constraint named, and done when it is gone',
    async (_, when) => {
      await file();
      const before = await wrote();
      await sql(
        `create table atelier.stars (message bigint constraint stars_of_a_message references atelier.messages ${when})`,
      );
      await sql('insert into atelier.stars select max(id) from atelier.messages where author_id = $1', [
        member.userId,
      ]);
      const row = await run();
      expect(row).toMatchObject({ status: 'failed', failure: { code: 'erasure.blocked_by_constraint' } });
      expect(row?.failure?.message).toContain('stars_of_a_message');
      // What was before it in the order is gone, and that is said: it can no longer be taken back.
      expect(await wrote()).toBe(before);
      const actions = (await me.get(`/v1/me/requests/${id}`)).body.timeline.map(
        ({ action }: { action: string }) => action,
      );
      expect(actions).toEqual(expect.arrayContaining(['request.irreversible', 'request.failed']));
      await sql('drop table atelier.stars');
      expect(await retried()).toEqual({ status: 'fulfilled', failure: null });
      expect(await wrote()).toBe(0);
    },
  );

  /** Writes a message of the person's when their membership goes, once; and if so the membership again when that goes. */
  const farewell = async ({ andBack = false } = {}) => {
    const [mine] = await sql<{ room: string; membership: object }>(
      `select w.id as room, to_jsonb(m) as membership from atelier.memberships m
       join atelier.workrooms w using (workspace_id) where m.workspace_id = $1 and m.user_id = $2 limit 1`,
      [workspaceIds.acme, member.userId],
    );
    await sql(`
      create sequence atelier.farewells;
      create function atelier.farewell() returns trigger language plpgsql security definer as $$ begin
        if nextval('atelier.farewells') = 1 then
          insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
          values ('${mine?.room}', '${workspaceIds.acme}', '${member.userId}', '', '', now());
        end if; return null; end $$;
      create trigger farewell after delete on atelier.memberships for each row
        when (old.workspace_id = '${workspaceIds.acme}') execute function atelier.farewell()`);
    if (!andBack) return;
    await sql(`
      create function atelier.back() returns trigger language plpgsql security definer as $$ begin
        insert into atelier.memberships
        select (jsonb_populate_record(null::atelier.memberships, '${JSON.stringify(mine?.membership)}')).*;
        return null; end $$;
      create trigger back after delete on atelier.messages for each row
        when (old.body_sealed = '') execute function atelier.back()`);
  };

  test('a trigger that writes a row of the person where the erasure has been already: taken at once, by a second look', async () => {
    await file();
    await farewell();
    expect(await run()).toEqual({ status: 'fulfilled', failure: null });
    expect(await wrote()).toBe(0);
  });

  test('one that goes on writing: named, taken with the next attempt, and certified as completed only then', async () => {
    await file();
    await farewell({ andBack: true });
    const row = await run();
    expect(row).toMatchObject({ status: 'in_progress', failure: { code: 'erasure.rows_came_back' } });
    expect(row?.failure?.message).toContain('memberships (1)');
    desk.clock.advance(2 * MINUTE);
    const then = desk.clock.now();
    expect(await run()).toEqual({ status: 'fulfilled', failure: null });
    expect(await wrote()).toBe(0);
    const { completedAt } = (await me.get(`/v1/me/requests/${id}/certificate`)).body;
    // A backup of the minutes between holds what the first attempt left.
    expect(new Date(completedAt).getTime()).toBeGreaterThanOrEqual(then.getTime());
  });

  test('a storage that answers 500: tried again later, and nothing of the person is certified before', async () => {
    await file();
    storage = 'answers 500';
    expect(await run()).toMatchObject({ status: 'in_progress', failure: { code: 'erasure.files_left' } });
    expect((await me.get(`/v1/me/requests/${id}/certificate`)).status).toBe(404);
    storage = 'well';
    desk.clock.advance(2 * MINUTE);
    expect(await run()).toEqual({ status: 'fulfilled', failure: null });
    expect(await sql('select 1 from habeas.erasure_files')).toEqual([]);
  });

  test('a user of another workspace can neither see it, nor stop it, nor ask for it', async () => {
    await file({ scope: 'person', workspaceId: workspaceIds.acme });
    const neighbour = await desk.as('neighbour');
    for (const door of [`/v1/me/requests/${id}`, `/v1/workspaces/${workspaceIds.borealis}/requests/${id}`])
      for (const rest of ['', '/plan', '/certificate', '/recipients'])
        expect([door, rest, (await neighbour.get(`${door}${rest}`)).status]).toEqual([door, rest, 404]);
    expect((await neighbour.post(`/v1/me/requests/${id}/withdrawals`)).status).toBe(404);
    const theirs = {
      kind: 'deletion',
      scope: 'person',
      subject: { kind: 'user', key: demoPeople.viewer.userId },
    };
    expect((await neighbour.post(`/v1/workspaces/${workspaceIds.acme}/requests`, theirs)).status).toBe(404);
    expect(await run(workspaceIds.acme)).toEqual({ status: 'fulfilled', failure: null });
  });
});
