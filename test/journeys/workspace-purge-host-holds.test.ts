import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type UnitOfWork } from '../../src/database/unit-of-work.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { PurgeHolds } from '../../src/dsar/workspace-purge/holds.js';
import { NotedMembers } from '../../src/dsar/workspace-purge/noted-members.js';
import { Requests } from '../../src/dsar/requests.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { acme, DAY, door, endOfGrace, reached, schedule, settled, status } from './workspace-purge-scene.js';

const { borealis } = workspaceIds;
const member = { kind: 'user', key: demoPeople.member.userId };
const neighbour = { kind: 'user', key: demoPeople.neighbour.userId };
const atHost = `/v1/workspaces/${HOST_TENANT}/holds`;

describe('a hold of the host', () => {
  let desk: TestDesk;
  let support: Caller;
  let request = '';
  const placed: string[] = [];

  beforeAll(async () => {
    desk = await TestDesk.open();
    // Of Borealis alone: nothing of theirs is in Acme.
    await desk.db.behindTheScenes(
      'delete from atelier.memberships where workspace_id = $1 and user_id = $2',
      [acme, neighbour.key],
    );
    support = await desk.as('support');
    request = await schedule(desk);
    await settled(desk);
  }, 60_000);
  afterAll(() => desk.close());
  afterEach(release);

  async function place(about: object): Promise<void> {
    const answer = await support.post(atHost, {
      ground: 'Claim 7 O 12/26',
      reviewOn: '2027-06-01',
      ...about,
    });
    expect(answer.status).toBe(201);
    placed.push(answer.body.id);
  }
  async function release(): Promise<void> {
    for (const id of placed.splice(0)) {
      // A sign-in lasts an hour.
      const answer = await (await desk.as('support')).delete(`${atHost}/${id}`);
      expect(answer.status).toBe(204);
    }
  }
  const blockers = async (reader: 'support' | 'owner' = 'support') => {
    const caller = await desk.as(reader);
    const codes = ({ body }: { body: { blockers: { code: string }[] } }) =>
      body.blockers.map(({ code }) => code);
    const seen = codes(await caller.get(door));
    expect(codes(await caller.get(`/v1/workspaces/${acme}/requests/${request}/plan`))).toEqual(seen);
    return seen;
  };
  const within = <T>(work: (tx: UnitOfWork) => Promise<T>) =>
    desk.db.database.within(systemTenancy(acme, 'test'), work);

  test('on a member is shown before the purge: to staff, and to the owner where it may be disclosed', async () => {
    expect(await blockers()).toEqual([]);
    await place({ subject: member });
    expect(await blockers()).toEqual(['held']);
    expect(await blockers('owner')).toEqual([]);
    await release();
    await place({ subject: member, disclosable: true });
    expect(await blockers('owner')).toEqual(['held']);
  });

  test('on somebody who is no member stands in the way as far as a purge would take rows of theirs', async () => {
    const [customer] = await desk.db.behindTheScenes<{ here: string }>(
      'select id::text as here from atelier.customers where workspace_id = $1 limit 1',
      [acme],
    );
    const [elsewhere] = await desk.db.behindTheScenes<{ id: string }>(
      'select id::text from atelier.customers where workspace_id = $1 limit 1',
      [borealis],
    );
    await place({ subject: { kind: 'customer', key: elsewhere?.id } });
    await place({ subject: neighbour });
    expect(await blockers()).toEqual([]);
    await place({ subject: { kind: 'customer', key: customer?.here } });
    expect(await blockers()).toEqual(['held']);
  });

  test('on a collection stands in the way where the purge would take rows of it, and only there', async () => {
    await place({ collection: 'messages' });
    expect(await blockers()).toEqual(['held']);
    await release();
    // Accounts are not reached by way of a workspace, and what a law keeps is kept anyway.
    await place({ collection: 'users' });
    await place({ collection: 'users', subject: member });
    await place({ collection: 'invoices' });
    expect(await blockers()).toEqual([]);
    await place({ collection: 'messages', subject: member });
    expect(await blockers()).toEqual(['held']);
  });

  test('on everything reaches every workspace', async () => {
    await place({});
    expect(await blockers()).toEqual(['held']);
  });

  test('among many others is found, and only those in the workspace count for what may be told', async () => {
    await desk.db.behindTheScenes(
      `insert into habeas.holds (tenant_id, subject_kind, subject_key, ground, disclosable, review_on, placed_by, placed_at)
       select $1, 'user', gen_random_uuid()::text, 'x', false, '2027-06-01', 'test', now() from generate_series(1, 300)`,
      [HOST_TENANT],
    );
    await place({ subject: member, disclosable: true });
    expect(await blockers('owner')).toEqual(['held']);
    await desk.db.behindTheScenes(`delete from habeas.holds where placed_by = 'test'`);
  });

  test('costs a batch one question: people who are not there are not looked for again', async () => {
    const holds = desk.app.get(PurgeHolds, { strict: false });
    const run = await within((tx) => desk.app.get(Requests, { strict: false }).find(tx, request));
    const asked = () =>
      within(async (tx) => {
        const query = tx.query.bind(tx);
        let count = 0;
        tx.query = (sql: string, values?: unknown[]) => {
          if (!sql.includes('set_config')) count += 1;
          return query(sql, values);
        };
        expect(await holds.of(tx, run)).toEqual([]);
        return count;
      });
    expect(await asked()).toBe(2);
    await place({ subject: neighbour });
    const ofOne = await asked();
    expect(ofOne).toBeGreaterThan(2);
    expect(await asked()).toBe(2);
    await release();

    // Nor do many cost more than one.
    for (const hold of ["'user'", "'customer'"])
      await desk.db.behindTheScenes(
        `insert into habeas.holds (tenant_id, subject_kind, subject_key, ground, disclosable, review_on, placed_by, placed_at)
         select $1, ${hold}, gen_random_uuid()::text, 'x', false, '2027-06-01', 'many', now() from generate_series(1, 2000)`,
        [HOST_TENANT],
      );
    // Of the second kind its members and itself are looked for as well.
    expect(await asked()).toBeLessThanOrEqual(ofOne + 3);
    expect(await asked()).toBe(2);
    await desk.db.behindTheScenes(`delete from habeas.holds where placed_by = 'many'`);
  });

  test.each(['keep', 'erase'] as const)(
    'finds who belonged to the workspace when its purge began (peopleLeft: %s)',
    async (peopleLeft) => {
      const { workspaces } = desk.app.get(HostMap, { strict: false }).map;
      if (!workspaces) throw new Error('the demo has workspaces');
      const before = workspaces.peopleLeft;
      workspaces.peopleLeft = peopleLeft;
      const members = desk.app.get(NotedMembers, { strict: false });
      const undone = new Error('undone');
      const trial = within(async (tx) => {
        await tx.query(
          'insert into habeas.workspace_purges (tenant_id, request_id, begun_at) values ($1, $2, now())',
          [acme, request],
        );
        await members.note(tx, acme);
        expect(await members.anyOf(tx, [neighbour, member])).toBe(true);
        expect(await members.anyOf(tx, [neighbour])).toBe(false);
        const keys = await tx.query<{ key: string }>('select key from habeas.workspace_purge_people');
        expect(keys.some(({ key }) => key === member.key)).toBe(peopleLeft === 'erase');
        await members.forget(tx);
        expect(await members.anyOf(tx, [member])).toBe(false);
        throw undone;
      });
      await expect(trial).rejects.toBe(undone);
      workspaces.peopleLeft = before;
    },
  );

  test('keeps the purge from beginning and puts it on the desk; one that is placed half-way stops it, when no row says any more that they belonged there', async () => {
    await place({ subject: member });
    await endOfGrace(desk);
    await eventually(async () => (await status(desk, request)).failure !== null, 25_000);
    expect(await status(desk, request)).toMatchObject({
      status: 'scheduled',
      failure: { code: 'deletion.held' },
    });
    const { items } = (await (await desk.as('support')).get('/v1/desk/requests?show=stuck')).body;
    expect(items).toMatchObject([{ scope: 'workspace', waitingFor: ['a blocker'] }]);
    expect((await (await desk.as('owner')).get(door)).body.blockers).toEqual([]);
    await release();

    // Only the workspace's own row is left of what the purge takes.
    const { database } = desk.db;
    const doWithin = database.within.bind(database);
    let halfWay = false;
    database.within = async (tenancy, work, options) => {
      if (
        !halfWay &&
        'id' in tenancy.actor &&
        tenancy.actor.id === 'eraser' &&
        (await onlyTheWorkspaceIsLeft())
      ) {
        halfWay = true;
        await desk.db.behindTheScenes(
          `insert into habeas.holds (tenant_id, subject_kind, subject_key, ground, review_on, placed_by, placed_at)
           values ($1, $2, $3, 'litigation', '2027-06-01', 'test', now())`,
          [HOST_TENANT, member.kind, member.key],
        );
      }
      return doWithin(tenancy, work, options);
    };
    desk.clock.advance(DAY);
    await desk.sweep();
    await eventually(async () => halfWay && (await status(desk, request)).failure !== null, 25_000);
    expect(await status(desk, request)).toMatchObject({
      status: 'in_progress',
      failure: { code: 'deletion.held' },
    });
    const rows = 'select 1 from atelier.workspaces where id = $1';
    expect(await desk.db.behindTheScenes(rows, [acme])).toHaveLength(1);
    await desk.db.behindTheScenes(
      `update habeas.holds set released_at = now(), released_by = 'test' where released_at is null`,
    );
    desk.clock.advance(DAY);
    await desk.sweep();
    await reached(desk, request, 'fulfilled');
    expect(await desk.db.behindTheScenes(rows, [acme])).toEqual([]);
    expect(await desk.db.behindTheScenes('select 1 from habeas.workspace_purge_people')).toEqual([]);
  }, 90_000);

  async function onlyTheWorkspaceIsLeft(): Promise<boolean> {
    const [steps] = await desk.db.behindTheScenes<{ begun: number; open: number }>(
      `select count(*)::int as begun, count(*) filter (where s.finished_at is null and s.collection not in ('workspaces', 'workspace_profile'))::int as open
       from habeas.erasure_steps s join habeas.erasures e on e.id = s.erasure_id where e.job_id = $1 and s.rule <> 'keep'`,
      [request],
    );
    const members = await desk.db.behindTheScenes(
      'select 1 from atelier.memberships where workspace_id = $1',
      [acme],
    );
    return steps !== undefined && steps.begun > 0 && steps.open === 0 && members.length === 0;
  }
});
