import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { PeopleLeft } from '../../src/dsar/workspace-purge/people.js';
import { Purge } from '../../src/dsar/workspace-purge/purge-step.js';
import { type Request } from '../../src/dsar/request.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { acme, endOfGrace, reached, schedule, settled } from './workspace-purge-scene.js';

const { admin, member, viewer } = demoPeople;

describe('where the map says that people left without a workspace are erased', () => {
  let desk: TestDesk;
  let only: string[];
  let elsewhere: string[];
  let name = '';

  const mailOf = async (id: string) =>
    (
      await desk.db.behindTheScenes<{ email: string }>('select email from atelier.users where id = $1', [id])
    )[0]?.email;

  beforeAll(async () => {
    desk = await TestDesk.open();
    const { workspaces } = desk.app.get(HostMap, { strict: false }).map;
    if (!workspaces) throw new Error('the demo has workspaces');
    workspaces.peopleLeft = 'erase';
    // Four stay in Acme: of them one founds another workspace, and one has a role elsewhere that the map does not know.
    const few = [demoPeople.owner.userId, admin.userId, member.userId, viewer.userId];
    await desk.db.behindTheScenes(
      'delete from atelier.memberships where workspace_id = $1 and not user_id = any ($2)',
      [acme, few],
    );
    await desk.db.behindTheScenes(
      'delete from atelier.memberships where workspace_id <> $1 and user_id = any ($2)',
      [acme, few],
    );
    await desk.db.behindTheScenes(`insert into atelier.memberships values ($1, $2, 'viewer', null, now())`, [
      workspaceIds.borealis,
      viewer.userId,
    ]);
    only = [demoPeople.owner.userId, admin.userId, member.userId];
    elsewhere = [viewer.userId];
    const [row] = await desk.db.behindTheScenes<{ name: string }>(
      'select name from atelier.workspaces where id = $1',
      [acme],
    );
    name = row?.name ?? '';
    const request = await schedule(desk);
    await settled(desk);
    // Joins another workspace in the grace.
    await desk.db.behindTheScenes(`insert into atelier.memberships values ($1, $2, 'member', null, now())`, [
      workspaceIds.cedar,
      admin.userId,
    ]);
    only = only.filter((id) => id !== admin.userId);
    elsewhere = [...elsewhere, admin.userId];
    await endOfGrace(desk);
    await reached(desk, request, 'fulfilled');
  }, 120_000);
  afterAll(async () => {
    await desk.close();
  });

  test('they are erased like anybody who asks: proven, certified, remembered, told', async () => {
    await eventually(async () => {
      const open = await desk.db.behindTheScenes(
        `select 1 from habeas.requests where scope = 'account' and closed_at is null`,
      );
      return open.length === 0;
    }, 60_000).catch(async (error: unknown) => {
      throw new Error(
        JSON.stringify(await desk.db.behindTheScenes('select status, failure from habeas.requests')),
        { cause: error },
      );
    });
    const filed = await desk.db.behindTheScenes(
      `select r.kind, r.status, r.channel, r.identity_method, e.certificate ->> 'scope' as scope
       from habeas.requests r join habeas.erasures e on e.job_id = r.id where r.scope = 'account'`,
    );
    const one = {
      kind: 'deletion',
      status: 'fulfilled',
      channel: 'workspace',
      identity_method: 'authority',
      scope: 'account',
    };
    expect(filed).toEqual(only.map(() => one));
    for (const id of only) expect(await mailOf(id)).toMatch(/^deleted-/);
    await settled(desk);
    const done = (await desk.mails()).filter(({ to }) => to?.some(({ address }) => address === member.mail));
    expect(done.flatMap(({ attachments }) => attachments)).toHaveLength(1);
  });

  test('they read why it happens, in the first letter and in the last, and of no request that they never made', async () => {
    const theirs = (await desk.mails()).filter(({ to }) =>
      to?.some(({ address }) => address === member.mail),
    );
    expect(theirs.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^Your account at .+ ends$/),
      expect.stringMatching(/has deleted your data$/),
    ]);
    for (const { text } of theirs) {
      const words = text?.replaceAll(/\s+/g, ' ');
      expect(words).toContain(`The workspace “${name}” was deleted, and you belong to no other.`);
      expect(words).toContain('You have not asked for this yourself.');
      expect(words).toMatch(/right to lodge a complaint/);
      expect(words).not.toMatch(/You asked|your request/i);
    }
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.requests where details_sealed is not null'),
    ).toEqual([]);
  });

  test('whoever belongs to another workspace by then, in whatever role, keeps the account', async () => {
    for (const id of elsewhere) expect(await mailOf(id)).not.toMatch(/^deleted-/);
  });

  test('and the list of who was there is empty', async () => {
    expect(await desk.db.behindTheScenes('select 1 from habeas.workspace_purge_people')).toEqual([]);
  });

  test('whom a worker had in its hands when it died is settled by the other that came to them', async () => {
    await desk.db.behindTheScenes(`insert into habeas.workspace_purge_people values ($1, 'user', $2)`, [
      acme,
      viewer.userId,
    ]);
    const lock = 'select 1 from habeas.workspace_purge_people for update';
    const held = Promise.withResolvers<null>();
    const death = Promise.withResolvers<never>();
    const dying = desk.db.database.within(systemTenancy(acme, 'workspace-purge'), async (tx) => {
      await tx.query(lock);
      held.resolve(null);
      await death.promise;
    });
    await held.promise;
    let over = false;
    const other = desk.app
      .get(PeopleLeft, { strict: false })
      .run(new Purge(desk.db.database, { tenant: acme } as Request, {} as ErasureJob))
      .finally(() => (over = true));
    await eventually(async () => {
      const waiting = await desk.db.behindTheScenes(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return over || waiting.length > 0;
    }, 10_000);
    death.reject(new Error('the worker dies'));
    await expect(dying).rejects.toThrow('the worker dies');
    await other;
    expect(await desk.db.behindTheScenes('select 1 from habeas.workspace_purge_people')).toEqual([]);
  });
});
