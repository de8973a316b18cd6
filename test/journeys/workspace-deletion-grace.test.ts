import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { dueWorkspaces } from './purge-races.js';
import { settled } from './workspace-purge-scene.js';

const SECOND = 1000;
const DAY = 86_400_000;
const { acme, borealis } = workspaceIds;
const at = (workspace: string) => `/v1/workspaces/${workspace}/deletion`;

describe('what happens to people and names in the grace', () => {
  let desk: TestDesk;
  let end = 0;
  beforeAll(async () => {
    desk = await TestDesk.open();
    // Two owners, whoever the demo's were.
    await role('owner', ['owner', 'viewer']);
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'member' where workspace_id = $1 and role = 'owner' and not user_id = any ($2)`,
      [acme, [demoPeople.owner.userId, demoPeople.viewer.userId]],
    );
    await named('Acme');
  });
  afterAll(() => desk.close());

  const role = (is: string, who: ('owner' | 'viewer' | 'member')[]) =>
    desk.db.behindTheScenes(
      'update atelier.memberships set role = $3 where workspace_id = $1 and user_id = any ($2)',
      [acme, who.map((name) => demoPeople[name].userId), is],
    );
  const named = (name: string) =>
    desk.db.behindTheScenes('update atelier.workspaces set name = $2 where id = $1', [acme, name]);
  /** Subjects of what somebody was sent since the last look, in the order of the alphabet. */
  const seen = new Set<string>();
  const told = async (who: 'owner' | 'viewer' | 'member'): Promise<string[]> => {
    await eventually(async () => {
      const busy = `select 1 from habeas.outbox where status = 'pending' limit 1`;
      return (await desk.db.behindTheScenes(busy)).length === 0;
    });
    const { mail } = demoPeople[who];
    const fresh = (await desk.mails()).filter(
      ({ to, raw }) => to?.some(({ address }) => address === mail) && !seen.has(raw),
    );
    for (const { raw } of fresh) seen.add(raw);
    return fresh.map(({ subject }) => subject ?? '').sort();
  };
  const goTo = async (moment: number) => {
    desk.clock.set(new Date(moment));
    await desk.sweep();
  };

  test('two owners who schedule it at once schedule it once, and each owner has one mail', async () => {
    const callers = [await desk.as('owner'), await desk.as('viewer')];
    const answers = await Promise.all(callers.map((caller) => caller.post(at(acme), { confirm: 'Acme' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const { body } = answers.find(({ status }) => status === 201) ?? { body: {} };
    const refused = answers.find(({ status }) => status === 409)?.body;
    expect(refused).toMatchObject({ code: 'deletion.already_scheduled', requestId: body.requestId });
    end = Date.parse(body.scheduledFor as string);
    for (const who of ['owner', 'viewer'] as const)
      expect(await told(who)).toEqual(['The workspace “Acme” will be deleted']);
  });

  test('whoever is an owner that day is reminded, under the name it has that day; who is none any more is not', async () => {
    await named('Acme & Sons');
    await role('viewer', ['viewer']);
    await role('owner', ['member']);
    await goTo(end - 7 * DAY);
    for (const who of ['owner', 'member'] as const)
      expect(await told(who)).toEqual([expect.stringMatching(/^In 7 days.*“Acme & Sons”/)]);
    await goTo(end - DAY);
    for (const who of ['owner', 'member'] as const)
      expect(await told(who)).toEqual([expect.stringMatching(/^Tomorrow.*“Acme & Sons”/)]);
    expect(await told('viewer')).toEqual([]);
  });

  test('a former owner cannot cancel what they scheduled, a new one can, in the last second', async () => {
    await goTo(end - SECOND);
    expect((await (await desk.as('viewer')).delete(at(acme))).status).toBe(403);
    const heir = await desk.as('member');
    expect((await heir.delete(at(acme))).status).toBe(204);
    for (const who of ['owner', 'member'] as const)
      expect(await told(who)).toEqual(['The workspace “Acme & Sons” stays']);
    await goTo(end + SECOND);
    await settled(desk);
    expect((await (await desk.as('member')).get(at(acme))).body.status).toBe('none');
  });

  test('the name to type is the one of that day, and support may cancel what an owner scheduled', async () => {
    const owner = await desk.as('owner');
    const former = await owner.post(at(acme), { confirm: 'Acme' });
    expect({ status: former.status, code: former.body.code }).toEqual({
      status: 422,
      code: 'deletion.name_mismatch',
    });
    expect((await owner.post(at(acme), { confirm: 'Acme & Sons' })).status).toBe(201);
    expect((await (await desk.as('support')).delete(at(acme))).status).toBe(204);
    for (const who of ['owner', 'member'] as const)
      expect(await told(who)).toEqual([
        'The workspace “Acme & Sons” stays',
        'The workspace “Acme & Sons” will be deleted',
      ]);
  });

  test('it is cancelled though the host’s tables cannot be read, and the owners are told when they can', async () => {
    const owner = await desk.as('owner');
    expect((await owner.post(at(acme), { confirm: 'Acme & Sons' })).status).toBe(201);
    for (const who of ['owner', 'member'] as const) expect(await told(who)).toHaveLength(1);
    const support = await desk.as('support');
    await desk.db.behindTheScenes('alter table atelier.memberships rename column role to duty');
    await desk.lookAtHost();
    expect((await support.delete(at(acme))).status).toBe(204);
    expect((await support.get(at(acme))).body.status).toBe('none');
    const job = `select 1 from habeas_jobs.job where name = 'cancellation-letters' and state <> 'completed'`;
    expect(await desk.db.behindTheScenes(job)).toHaveLength(1);
    for (const who of ['owner', 'member'] as const) expect(await told(who)).toEqual([]);
    await desk.db.behindTheScenes('alter table atelier.memberships rename column duty to role');
    await desk.lookAtHost();
    await eventually(async () => {
      // Its next try is some seconds away.
      await desk.db.behindTheScenes(
        `update habeas_jobs.job set start_after = now() where name = 'cancellation-letters' and state in ('created', 'retry')`,
      );
      return (await desk.db.behindTheScenes(job)).length === 0;
    }, 20_000);
    for (const who of ['owner', 'member'] as const)
      expect(await told(who)).toEqual(['The workspace “Acme & Sons” stays']);
  });

  test('what the owners were to be told of it later is not told when it was scheduled again first', async () => {
    const owner = await desk.as('owner');
    const support = await desk.as('support');
    const schedule = async () =>
      expect((await owner.post(at(acme), { confirm: 'Acme & Sons' })).status).toBe(201);
    const letters = (state: string) =>
      desk.db.behindTheScenes(
        `select 1 from habeas_jobs.job where name = 'cancellation-letters' and state = any ($1)`,
        [state.split(' or ')],
      );
    const nextTry = (moment: string) =>
      desk.db.behindTheScenes(
        `update habeas_jobs.job set start_after = ${moment} where name = 'cancellation-letters' and state = 'retry'`,
      );
    await schedule();
    await desk.db.behindTheScenes('alter table atelier.memberships rename column role to duty');
    await desk.lookAtHost();
    expect((await support.delete(at(acme))).status).toBe(204);
    await eventually(async () => {
      await nextTry(`now() + interval '1 hour'`);
      return (await letters('retry')).length === 1;
    }, 20_000);
    await desk.db.behindTheScenes('alter table atelier.memberships rename column duty to role');
    await desk.lookAtHost();
    await schedule();
    await eventually(async () => {
      await nextTry('now()');
      return (await letters('created or retry or active')).length === 0;
    }, 20_000);
    expect(await told('member')).toEqual(Array(2).fill('The workspace “Acme & Sons” will be deleted'));
    expect((await support.delete(at(acme))).status).toBe(204);
    expect(await told('member')).toEqual(['The workspace “Acme & Sons” stays']);
  });

  describe('scheduled and cancelled in turns', () => {
    let owner: Caller;
    const post = () => owner.post(at(acme), { confirm: 'Acme & Sons' });
    let first = 0;

    test('it is scheduled five times in 24 hours, and no owner is mailed for a sixth', async () => {
      await goTo(end + 5 * DAY);
      owner = await desk.as('owner');
      first = desk.clock.now().getTime();
      for (let time = 0; time < 5; time++) {
        expect((await post()).status).toBe(201);
        expect((await owner.delete(at(acme))).status).toBe(204);
        desk.clock.advance(SECOND);
      }
      expect(await told('member')).toHaveLength(10);
      const { status, body, headers } = await post();
      expect({ status, code: body.code }).toEqual({ status: 429, code: 'deletion.too_often' });
      const wait = 86_400 - 5;
      expect([headers.get('retry-after'), body.retryAfter]).toEqual([String(wait), wait]);
      expect(body.detail).toContain(new Date(first + DAY).toISOString());
      expect(await told('member')).toEqual([]);
      expect((await owner.get(at(acme))).body.status).toBe('none');
      const left = `select 1 from habeas.requests where tenant_id = $1 and kind = 'deletion' and closed_at is null
                    union all select 1 from habeas.open_matters where tenant_id = $1 and kind = 'deletion'`;
      expect(await desk.db.behindTheScenes(left, [acme])).toEqual([]);
    });

    test('of another workspace it is scheduled all the same', async () => {
      const [row] = await desk.db.behindTheScenes<{ name: string }>(
        'select name from atelier.workspaces where id = $1',
        [borealis],
      );
      const neighbour = await desk.as('neighbour');
      expect((await neighbour.post(at(borealis), { confirm: row?.name })).status).toBe(201);
    });

    test('and here when the first of the five is 24 hours old, not a second sooner, under the same key too; then one at a time', async () => {
      desk.clock.set(new Date(first + DAY - SECOND));
      owner = await desk.as('owner');
      const keyed = () =>
        owner.post(at(acme), { confirm: 'Acme & Sons' }, { 'idempotency-key': 'the-same-job' });
      const early = await keyed();
      expect([early.status, early.headers.get('retry-after')]).toEqual([429, '1']);
      desk.clock.set(new Date(first + DAY));
      const both = await Promise.all([keyed(), post()]);
      expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    });

    test('cancelling is never too often, and every owner is told', async () => {
      await told('member');
      expect((await owner.delete(at(acme))).status).toBe(204);
      expect(await told('member')).toEqual(['The workspace “Acme & Sons” stays']);
      const { status, body } = await post();
      expect({ status, code: body.code }).toEqual({ status: 429, code: 'deletion.too_often' });
    });
  });
});

describe('somebody who belongs to two workspaces that are purged in the same minute', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open();
    const { workspaces } = desk.app.get(HostMap, { strict: false }).map;
    if (!workspaces) throw new Error('the demo has workspaces');
    workspaces.peopleLeft = 'erase';
  });
  afterAll(() => desk.close());

  test('is erased once, as nobody is left to keep the account for, and told once', async () => {
    const id = 'd0b1e000-0000-4000-8000-000000000001';
    const mail = 'two.places@racer.example';
    await desk.db.behindTheScenes(
      `insert into atelier.users (id, email, display_name, settings, tags, storage_bytes, created_at)
       values ($1, $2, 'Toni Twoplaces', '{}', '{}', 0, now())`,
      [id, mail],
    );
    const both = await dueWorkspaces(desk, 2);
    await desk.db.behindTheScenes(
      `insert into atelier.memberships select id::uuid, $2, 'member', null, now() from unnest($1::text[]) as id`,
      [both, id],
    );
    desk.clock.advance(30 * DAY);
    await desk.sweep();
    const gone = () => desk.db.behindTheScenes(
      `select 1 from habeas.workspaces where id = any ($1::uuid[]) and purged_at is not null`,
      [both],
    ); // prettier-ignore
    await eventually(async () => (await gone()).length === 2, 60_000);
    await settled(desk);
    const filed = await desk.db.behindTheScenes(
      `select status, outcome from habeas.requests where scope = 'account' and kind = 'deletion'`,
    );
    expect(filed).toEqual([{ status: 'fulfilled', outcome: 'full' }]);
    const [user] = await desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [id],
    );
    expect(user?.email).toMatch(/^deleted-/);
    const letters = (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === mail));
    expect(letters.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/ends$/),
      expect.stringMatching(/deleted your data$/),
    ]);
    expect(await desk.db.behindTheScenes('select 1 from habeas.workspace_purge_people')).toEqual([]);
  }, 90_000);
});
