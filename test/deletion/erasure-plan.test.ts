import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { placesOf } from '../../src/deletion/erasure-places.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Situation } from './eraser-situation.js';

const me = demoPeople.member.userId;
let db: TestDatabase;
let situation: Situation;

beforeAll(async () => {
  db = await createDatabase('atelier_template');
  const stores = new LocalStores({ root: '.', publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(db, readDataMap(readConfig({ HABEAS_HOME: '.habeas' })), stores);
});
afterAll(() => db.drop());

/** Thirty more workspaces: in all of them a membership, in the last a room and a message. */
const joinMany = `
  with joined as (
    insert into atelier.workspaces (id, name, slug, plan_code, settings, created_at)
    select gen_random_uuid(), 'W' || n, 'w-' || n, 'team', '{}', now() from generate_series(1, 30) n returning id, slug),
  members as (
    insert into atelier.memberships (workspace_id, user_id, role, joined_at) select id, $1, 'member', now() from joined),
  room as (
    insert into atelier.workrooms (id, workspace_id, owner_id, title, labels, created_at)
    select gen_random_uuid(), id, $1, 'Alone', '{}', now() from joined where slug = 'w-30' returning id, workspace_id)
  insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
  select id, workspace_id, $1, sha512('x'), sha224('x'), now() from room`;

test('a plan over many workspaces counts each as if it were alone, and steps for empty ones are had where asked for', async () => {
  await db.behindTheScenes(joinMany, [me]);
  const person = await situation.person('user', me);
  const workspaces = await db.database.asHost((host) =>
    situation.host.workspaces.workspacesTouched(host, [person]),
  );
  expect(workspaces.length).toBeGreaterThan(30);
  const job = situation.job([person], { workspaces });
  const { all, plan, alone } = await db.database.within(systemTenancy(job.tenant, 'test'), async (tx) => ({
    all: (await situation.plans.plan(tx, job, true)).steps,
    plan: (await situation.plans.plan(tx, job)).steps,
    alone: await tx.asHost(async () => {
      const counts = new Map<string, unknown>();
      for (const collection of Object.values(situation.host.map.collections))
        for (const place of placesOf(job, collection))
          counts.set(
            `${collection.name} ${place.workspace}`,
            await situation.plans.count(tx, job, collection, place),
          );
      return counts;
    }),
  }));
  expect(
    new Map(
      all.map(({ collection, workspace, rows, files, stays }) => [
        `${collection} ${workspace}`,
        { rows, files, ...(stays !== undefined && { stays }) },
      ]),
    ),
  ).toEqual(alone);
  expect(plan).toEqual(all.filter(({ rows, stays }) => rows > 0 || stays !== undefined));
  expect(plan.filter(({ collection }) => collection === 'messages').length).toBeGreaterThan(1);
});
