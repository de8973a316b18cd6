import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { DomainError } from '../../src/errors.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { type ObjectStores, unavailable } from '../../src/storage/object-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { difference, putText, Situation } from './eraser-situation.js';

const acme = demoPeople.owner.workspaceId;
const me = demoPeople.member.userId;
const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));

let db: TestDatabase;
let home: string;
let stores: LocalStores;
let situation: Situation;

beforeEach(async () => {
  db = await createDatabase('atelier_template');
  home = await mkdtemp(join(tmpdir(), 'erase-'));
  stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(db, map, stores);
});
afterEach(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

const count = async (sql: string, ...values: unknown[]): Promise<number> =>
  Number((await db.behindTheScenes<{ n: string }>(`select count(*) as n from ${sql}`, values))[0]?.n);

const jobOf = async (kind: string, key: string, more: Partial<ErasureJob> = {}): Promise<ErasureJob> => {
  const person = await situation.person(kind, key);
  const workspaces = await db.database.asHost((host) =>
    situation.host.workspaces.workspacesTouched(host, [person]),
  );
  return situation.job([person], { workspaces, ...more });
};

/** What the member's whole erasure changes, whatever stood in its way. */
const allOfMe = {
  'atelier.attachments': { gone: 22, come: 0 },
  'atelier.integrations': { gone: 1, come: 0 },
  'atelier.memberships': { gone: 1, come: 0 },
  'atelier.messages': { gone: 958, come: 0 },
  'atelier.users': { gone: 1, come: 1 },
  'atelier.workroom_invitations': { gone: 1, come: 1 },
};

const myFiles = () =>
  db.behindTheScenes<{ bucket: string; path: string }>(
    'select bucket, path from atelier.attachments join atelier.messages m on m.id = message_id where author_id = $1',
    [me],
  );

describe('erasing a member', () => {
  test('runs workspaces first and the account last, and touches no row of anybody else', async () => {
    const job = await jobOf('user', me);
    const mine = await myFiles();
    for (const { bucket, path } of mine) await putText(stores, bucket, path);
    await putText(stores, mine[0]?.bucket ?? '', 'somebody/elses.txt');
    const before = await situation.rows('atelier');
    const { steps } = await situation.plan(job);
    const rooms = `select id from atelier.workrooms where owner_id = $1
      union select workroom_id from atelier.messages where author_id = $1`;
    const theirRooms = (await db.behindTheScenes(rooms, [me])).length;

    const done = await situation.erase(job);

    expect(difference(before, await situation.rows('atelier'))).toEqual(allOfMe);
    expect(steps.map(({ collection, rule, rows, files }) => [collection, rule, rows, files])).toEqual([
      ['attachments', 'delete', 22, 22],
      ['messages', 'delete', 958, 0],
      ['invitations_sent', 'clear', 1, 0],
      ['workrooms', 'delete', 0, 0],
      ['integrations', 'delete', 1, 0],
      ['workspaces', 'keep', 1, 0],
      ['memberships', 'delete', 1, 0],
      ['users', 'pseudonymise', 1, 0],
    ]);
    // All of their rooms have others in them; counted before their messages, which lead to most, are gone.
    expect(theirRooms).toBeGreaterThan(0);
    expect([steps[3]?.stays, done[3]?.stays]).toEqual([theirRooms, theirRooms]);
    expect(done.map(({ done: rows }) => rows)).toEqual(steps.map(({ rows }) => rows));
    expect(done[0]?.filesRemoved).toBe(mine.length);
    for (const { bucket, path } of mine) expect(await stores.bucket(bucket).stat(path)).toBeNull();
    expect(await stores.bucket(mine[0]?.bucket ?? '').stat('somebody/elses.txt')).not.toBeNull();
    expect(await count('habeas.erasure_files')).toBe(0);
    const [user] = await db.behindTheScenes('select * from atelier.users where id = $1', [me]);
    expect(user).toMatchObject({
      email: `deleted-${job.pseudonyms[`user:${me}`]}@deleted.invalid`,
      display_name: 'Deleted User',
      language: null,
      phone: null,
      password_hash: null,
      byok_key_sealed: null,
      byok_key_nonce: null,
    });
  });

  test('a second time finds nothing to do and changes nothing', async () => {
    const job = await jobOf('user', me);
    await situation.erase(job);
    const before = await situation.rows('atelier');
    await situation.eraser.run(job);
    const again = { ...job, id: crypto.randomUUID(), jobId: crypto.randomUUID() };
    const steps = await situation.erase(again);
    expect(difference(before, await situation.rows('atelier'))).toEqual({});
    expect(steps.filter(({ done, rule }) => done > 0 && rule !== 'keep')).toEqual([]);
  });

  test('in one workspace a room that stays for others names its owner no more, and counts', async () => {
    const owner = await situation.person('user', demoPeople.owner.userId);
    const mine = 'atelier.workrooms where owner_id = $1';
    const rooms = await count(mine, owner.key);
    expect(rooms).toBeGreaterThan(0);
    const all = await count('atelier.workrooms');
    const steps = await situation.erase(
      situation.job([owner], { scope: 'person', workspaces: [acme], tenant: acme }),
    );
    const step = steps.find(({ collection }) => collection === 'workrooms');
    expect(await count(mine, owner.key)).toBe(0);
    expect(await count('atelier.workrooms')).toBe(all - (step?.done ?? 0));
    expect((step?.letGo ?? 0) + (step?.done ?? 0)).toBeGreaterThanOrEqual(rooms);
  });

  test.each(['before', 'after'])(
    'in one workspace a room that a trigger gives back %s it is written ends with a word, not never',
    async (when) => {
      const owner = await situation.person('user', demoPeople.owner.userId);
      await db.behindTheScenes(`
        create function atelier.own_again() returns trigger language plpgsql security definer as $$ begin
          if '${when}' = 'before' then new.owner_id = old.owner_id; return new; end if;
          if pg_trigger_depth() = 1 then update atelier.workrooms set owner_id = old.owner_id where id = old.id; end if;
          return null; end $$;
        create trigger own_again ${when} update on atelier.workrooms for each row execute function atelier.own_again()`);
      const job = situation.job([owner], { scope: 'person', workspaces: [acme], tenant: acme });
      await expect(situation.erase(job)).rejects.toMatchObject({
        code: 'erasure.rows_came_back',
        message: expect.stringMatching(/workrooms.*a trigger or a rule/),
      });
    },
  );

  test('in one workspace leaves the account and the other workspaces alone', async () => {
    const owner = await situation.person('user', demoPeople.owner.userId);
    const elsewhere = demoPeople.neighbour.workspaceId;
    await db.behindTheScenes(
      `insert into atelier.memberships (workspace_id, user_id, role, joined_at) values ($1, $2, 'member', now())`,
      [elsewhere, owner.key],
    );
    const before = await situation.rows('atelier');
    await situation.erase(
      situation.job([owner], { scope: 'person', workspaces: [elsewhere], tenant: elsewhere }),
    );
    expect(difference(before, await situation.rows('atelier'))).toEqual({
      'atelier.memberships': { gone: 1, come: 0 },
    });
  });

  test('a process that dies after each single transaction still ends with the same result', async () => {
    const mine = await myFiles();
    for (const { bucket, path } of mine) await putText(stores, bucket, path);
    const job = await jobOf('user', me);
    await situation.begin(job);
    const before = await situation.rows('atelier');
    let [attempts, finished] = [0, false];
    // Each attempt gets one transaction further than what was done: it dies before COMMIT, then after the next one.
    while (!finished) {
      attempts += 1;
      const mortal = await Situation.of(
        db,
        map,
        stores,
        dying(db.database, attempts % 2 === 0 ? 'before' : 'after', attempts),
      );
      finished = await mortal.eraser.run(job).then(
        () => true,
        (error: unknown) => {
          if (!(error as Error).message.includes('killed')) throw error;
          return false;
        },
      );
    }
    expect(attempts).toBeGreaterThan(8);
    expect(difference(before, await situation.rows('atelier'))).toEqual(allOfMe);
    const steps = await situation.eraser.run(job);
    expect(steps.map(({ done }) => done)).toEqual([22, 958, 1, 0, 1, 1, 1, 1]);
    expect(steps[0]?.filesRemoved).toBe(mine.length);
    expect(
      await count(
        `atelier.users where email = $1`,
        `deleted-${job.pseudonyms[`user:${me}`]}@deleted.invalid`,
      ),
    ).toBe(1);
  });

  test('what came after the plan goes as well, in collections that were empty too', async () => {
    const job = await jobOf('user', me);
    await situation.begin(job);
    await db.behindTheScenes(
      `insert into atelier.workroom_invitations (workroom_id, invited_email, invited_user, created_at)
       select id, (select email from atelier.users where id = $1), $1, now() from atelier.workrooms where workspace_id = $2 limit 1`,
      [me, acme],
    );
    const steps = await situation.eraser.run(job);
    expect(steps.find(({ collection }) => collection === 'invitations_received')).toMatchObject({
      rows: 0,
      done: 1,
    });
    expect(await count('atelier.workroom_invitations where invited_user = $1', me)).toBe(0);
  });

  test('a job that has begun keeps its pseudonym, whatever is handed over later', async () => {
    const job = await jobOf('user', me);
    await situation.begin(job);
    const other = { ...(await jobOf('user', me)), jobId: job.jobId };
    const kept = await db.database.within(systemTenancy(job.tenant, 'test'), (tx) =>
      situation.eraser.begin(tx, other),
    );
    expect(kept).toEqual(job);
  });

  test('stops between batches when it is told to, and says that it can no longer be taken back', async () => {
    const job = await jobOf('user', me);
    let batches = 0;
    let told = 0;
    const tell = () => {
      told += 1;
      return Promise.resolve();
    };
    const held = situation.erase(job, {
      shouldGoOn: () =>
        ++batches > 2
          ? Promise.reject(new DomainError('erasure.held', 'A hold was placed.'))
          : Promise.resolve(),
      onIrreversible: tell,
    });
    await expect(held).rejects.toMatchObject({ code: 'erasure.held' });
    expect(await count('atelier.users where id = $1 and display_name <> $2', me, 'Deleted User')).toBe(1);
    const begun = await db.database.within(systemTenancy(job.tenant, 'test'), (tx) =>
      situation.erasures.isIrreversible(tx, job.id),
    );
    expect([begun, told]).toEqual([true, 1]);
    await situation.eraser.run(job, { onIrreversible: tell });
    expect(told).toBe(1);
  });

  test('a row that somebody has locked delays the erasure and fails nothing', async () => {
    const job = await jobOf('user', me);
    const before = await situation.rows('atelier');
    const other = new pg.Client({ connectionString: db.ownerUrl });
    await other.connect();
    await other.query('begin');
    await other.query(
      'select from atelier.messages where author_id = $1 order by id desc limit 1 for update',
      [me],
    );
    const run = situation.erase(job);
    await eventually(async () => (await count('atelier.messages where author_id = $1', me)) === 1);
    await expect(situation.eraser.run(job, { patience: 400 })).rejects.toMatchObject({
      code: 'erasure.rows_locked',
    });
    await other.query('rollback');
    await other.end();
    await run;
    expect(difference(before, await situation.rows('atelier'))).toEqual(allOfMe);
  });

  test('a foreign key that the map does not know stops it, and the message names the constraint', async () => {
    const job = await jobOf('user', me);
    await db.behindTheScenes(
      'create table atelier.stars (message bigint constraint stars_of_a_message references atelier.messages)',
    );
    await db.behindTheScenes(
      'insert into atelier.stars select max(id) from atelier.messages where author_id = $1',
      [me],
    );
    const error = await situation.erase(job).catch((e: unknown) => e as DomainError);
    expect(error).toMatchObject({ code: 'erasure.blocked_by_constraint' });
    expect((error as DomainError).message).toContain('stars_of_a_message of table atelier.stars');
    expect((error as DomainError).message).toContain('None of its rows has been erased; 22 rows of other');
    expect(await count('atelier.messages where author_id = $1', me)).toBe(958);
    await db.behindTheScenes('drop table atelier.stars');
    await situation.eraser.run(job);
    expect(await count('atelier.messages where author_id = $1', me)).toBe(0);
  });

  test('a cascade to a table that the map does not know deletes nothing at all', async () => {
    const job = await jobOf('user', me);
    await situation.begin(job);
    await db.behindTheScenes(`
      create table atelier.stars (message bigint constraint stars_go_along references atelier.messages on delete cascade);
      insert into atelier.stars select id from atelier.messages where author_id = '${me}' order by id limit 3`);
    // A check would have refused it; the eraser does not rely on that.
    const knowing = await Situation.of(db, map, stores);
    const error = await knowing.eraser.run(job).catch((e: unknown) => e as DomainError);
    expect(error).toMatchObject({ code: 'erasure.blocked_by_constraint' });
    expect((error as DomainError).message).toContain('stars_go_along of table atelier.stars');
    expect(await count('atelier.stars')).toBe(3);
    expect(await count('atelier.messages where author_id = $1', me)).toBe(958);
  });

  test.each([
    ['puts the row back', `insert into atelier.integrations values (old.*); return null`, 'after'],
    ['does not let the row go', `return null`, 'before'],
  ])('a trigger that %s is named, with its table', async (_, body, when) => {
    const job = await jobOf('user', me);
    await db.behindTheScenes(`
      create function atelier.stubborn() returns trigger language plpgsql security definer as $$ begin ${body}; end $$;
      create trigger stubborn ${when} delete on atelier.integrations for each row execute function atelier.stubborn()`);
    const error = await situation.erase(job).catch((e: unknown) => e as DomainError);
    expect(error).toMatchObject({ code: 'erasure.rows_came_back' });
    expect((error as DomainError).message).toContain('table atelier.integrations');
  });

  test('two erasures of the same person at once end as one would have', async () => {
    const before = await situation.rows('atelier');
    const [one, two] = [await jobOf('user', me), await jobOf('user', me)];
    await Promise.all([situation.begin(one), situation.begin(two)]);
    const second = await Database.connect(db.url);
    try {
      const other = await Situation.of(db, map, stores, second);
      const [a, b, c] = await Promise.all([
        situation.eraser.run(one),
        other.eraser.run(two),
        other.eraser.run(one),
      ]);
      const messages = [a, b].map(
        (steps) => steps.find(({ collection }) => collection === 'messages')?.done ?? 0,
      );
      expect(messages.reduce((sum, rows) => sum + rows, 0)).toBe(958);
      expect(c).toHaveLength(8);
    } finally {
      await second.close();
    }
    expect(difference(before, await situation.rows('atelier'))).toEqual(allOfMe);
  });

  test('a storage that fails leaves the names of the files for the next time', async () => {
    const mine = await myFiles();
    for (const { bucket, path } of mine) await putText(stores, bucket, path);
    let broken = true;
    const failing: ObjectStores = {
      bucket: (name) =>
        Object.assign(Object.create(stores.bucket(name)) as ReturnType<LocalStores['bucket']>, {
          remove: (paths: readonly string[]) =>
            broken ? Promise.reject(unavailable('remove')) : stores.bucket(name).remove(paths),
        }),
    };
    const job = await jobOf('user', me);
    const unlucky = await Situation.of(db, map, failing);
    await expect(unlucky.erase(job)).rejects.toMatchObject({
      code: 'erasure.files_left',
      details: { extra: { left: 22 } },
    });
    expect(await count('habeas.erasure_files where failure is not null')).toBe(22);
    broken = false;
    expect((await unlucky.eraser.run(job))[0]?.filesRemoved).toBe(22);
    expect(await count('habeas.erasure_files')).toBe(0);
  });

  test('a file that somebody else’s row names as well stays, and one name that no store takes stops no other', async () => {
    const mine = await myFiles();
    for (const { bucket, path } of mine) await putText(stores, bucket, path);
    await db.behindTheScenes('alter table atelier.attachments drop constraint attachments_bucket_path_key');
    const [shared, odd] = mine as [(typeof mine)[0], (typeof mine)[0]];
    await db.behindTheScenes(
      `update atelier.attachments set bucket = $1, path = $2 where id = (
         select a.id from atelier.attachments a join atelier.messages m on m.id = message_id where author_id <> $3 limit 1)`,
      [shared.bucket, shared.path, me],
    );
    await db.behindTheScenes('update atelier.attachments set path = $2 where path = $1', [
      odd.path,
      '../odd',
    ]);
    const job = await jobOf('user', me);
    // The one that somebody else's row names is not counted either.
    expect((await situation.erase(job))[0]).toMatchObject({ files: 22, filesRemoved: 20 });
    expect(await stores.bucket(shared.bucket).stat(shared.path)).not.toBeNull();
    expect(await count('habeas.erasure_files')).toBe(0);
  });
});

describe('a room that others may be in', () => {
  const room = async (id: string, author: string | null, owner: string | null) => {
    await db.behindTheScenes(
      `insert into atelier.workrooms (id, workspace_id, owner_id, title, labels, created_at) values ($1, $2, $3, 'r', '{}', now())`,
      [id, acme, owner],
    );
    await db.behindTheScenes(
      `insert into atelier.messages (workroom_id, workspace_id, customer_id, body_sealed, body_nonce, sent_at)
       select $1, $2, c, '', '', now() from unnest(array[$3, null]::uuid[]) as c`,
      [id, acme, author],
    );
  };
  const [alone, together, invited] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
    string,
    string,
    string,
  ];
  const customer = '00000000-0000-4000-8000-00000000000c';

  test('goes with the last person in it, its notices too, and stays as long as anybody else is left', async () => {
    await db.behindTheScenes(
      `insert into atelier.customers (id, workspace_id, email, created_at) values ($1, $2, 'Last@Customer.example', now())`,
      [customer, acme],
    );
    await room(alone, customer, null);
    await room(together, customer, demoPeople.owner.userId);
    await room(invited, customer, null);
    await db.behindTheScenes(
      `insert into atelier.workroom_invitations (workroom_id, invited_email, created_at)
       values ('${invited}', 'guest@else.example', now()), ('${alone}', 'last@customer.example', now())`,
    );
    const before = await situation.rows('atelier');
    const job = await jobOf('customer', customer);
    const { steps } = await situation.plan(job);
    expect(steps.find(({ collection }) => collection === 'workrooms')?.rows).toBe(1);
    await situation.erase(job);
    expect(difference(before, await situation.rows('atelier'))).toEqual({
      'atelier.customers': { gone: 1, come: 0 },
      'atelier.workrooms': { gone: 1, come: 0 },
      'atelier.messages': { gone: 4, come: 0 },
      'atelier.workroom_invitations': { gone: 1, come: 0 },
    });
    expect(await count('atelier.workrooms where id = $1', alone)).toBe(0);
    // Whoever has been erased is not left on anything.
    await db.behindTheScenes(
      `update atelier.users set email = 'deleted-' || gen_random_uuid() || '@deleted.invalid' where id = $1`,
      [demoPeople.owner.userId],
    );
    await db.behindTheScenes(
      `insert into atelier.customers (id, workspace_id, email, created_at) values ($1, $2, 'Last@Customer.example', now())`,
      [customer, acme],
    );
    await db.behindTheScenes(`update atelier.messages set customer_id = $1 where workroom_id = $2`, [
      customer,
      together,
    ]);
    await situation.erase(await jobOf('customer', customer));
    expect(await count('atelier.workrooms where id = $1', together)).toBe(0);
  });
});

test('a hundred thousand rows take no more memory than a thousand', async () => {
  await db.behindTheScenes(
    `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
     select (select id from atelier.workrooms where workspace_id = $1 limit 1), $1, $2, '\\x00', '\\x00', now()
     from generate_series(1, 100000)`,
    [acme, me],
  );
  const job = await jobOf('user', me);
  global.gc?.();
  const idle = process.memoryUsage().rss;
  let [most, slowest, last] = [0, 0, performance.now()];
  await situation.erase(job, {
    shouldGoOn: () => {
      most = Math.max(most, process.memoryUsage().rss);
      slowest = Math.max(slowest, performance.now() - last);
      last = performance.now();
      return Promise.resolve();
    },
  });
  expect(await count('atelier.messages where author_id = $1', me)).toBe(0);
  expect((most - idle) / 2 ** 20).toBeLessThan(60);
}, 60_000);

test('the workspace as a whole goes with everything in it, and no row of another', async () => {
  const before = await db.behindTheScenes<{ t: string; n: string }>(others);
  const job = situation.job([], {
    scope: 'workspace',
    tenant: acme,
    workspaces: [acme],
    pseudonyms: { [`workspace:${acme}`]: crypto.randomUUID() },
  });
  const steps = await situation.erase(job);
  expect(steps.filter(({ rule, done, rows }) => rule === 'keep' && (rows === 0 || done !== rows))).toEqual(
    [],
  );
  expect(steps.filter(({ rule }) => rule !== 'keep').at(-1)?.collection).toBe('workspace_profile');
  expect(await db.behindTheScenes(others)).toEqual(before);
  expect(await count('atelier.workspaces where id = $1', acme)).toBe(0);
  expect(await count('atelier.messages where workspace_id = $1', acme)).toBe(0);
});

/** Checksums of every row that is not Acme's. */
const others = `
  select 'messages' as t, md5(string_agg(t::text, '|' order by id)) as n from atelier.messages t where workspace_id <> '${acme}'
  union all select 'attachments', md5(string_agg(t::text, '|' order by id)) from atelier.attachments t
    where message_id in (select id from atelier.messages where workspace_id <> '${acme}')
  union all select 'workrooms', md5(string_agg(t::text, '|' order by id)) from atelier.workrooms t where workspace_id <> '${acme}'
  union all select 'invitations', md5(string_agg(t::text, '|' order by id)) from atelier.workroom_invitations t
    where workroom_id in (select id from atelier.workrooms where workspace_id <> '${acme}')
  union all select 'customers', md5(string_agg(t::text, '|' order by id)) from atelier.customers t where workspace_id <> '${acme}'
  union all select 'memberships', md5(string_agg(t::text, '|' order by user_id)) from atelier.memberships t where workspace_id <> '${acme}'
  union all select 'users', md5(string_agg(t::text, '|' order by id)) from atelier.users t
  union all select 'workspaces', md5(string_agg(t::text, '|' order by id)) from atelier.workspaces t where id <> '${acme}'
  union all select 'invoices', md5(string_agg((to_jsonb(t) - 'workspace_id')::text, '|' order by number)) from atelier.invoices t
  order by t`;

/** A database whose process dies at one transaction: before it commits, or when it has and nobody was told. */
function dying(database: Database, when: 'before' | 'after', at: number): Database {
  let transactions = 0;
  const mortal = Object.create(database) as Database;
  mortal.within = async (tenancy, work, options) => {
    const last = ++transactions >= at;
    const result = await database.within(
      tenancy,
      async (tx) => {
        const done = await work(tx);
        if (last && when === 'before') throw new Error('killed');
        return done;
      },
      options,
    );
    if (last) throw new Error('killed');
    return result;
  };
  return mortal;
}
