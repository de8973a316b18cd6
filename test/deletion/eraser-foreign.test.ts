import { afterEach, describe, expect, test } from '@jest/globals';
import { AuditLog } from '../../src/audit/events.js';
import { checkDataMap } from '../../src/datamap/check.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type ErasureJob, subjectId } from '../../src/deletion/erasure.js';
import { Holds } from '../../src/deletion/holds/holds.js';
import { TombstoneHolds } from '../../src/deletion/tombstones/holds.js';
import { TombstonesSweep } from '../../src/deletion/tombstones/tombstones.sweep.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { Sealing } from '../../src/keys/sealing.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { type ForeignHost, foreignHost } from '../datamap/host.js';
import { difference, Situation } from './eraser-situation.js';

const stores = new LocalStores({
  root: '/nonexistent',
  publicUrl: 'http://localhost',
  key: Buffer.alloc(32),
});

let host: ForeignHost;
let situation: Situation;
afterEach(() => host.drop());

const open = async (name: string) => {
  host = await foreignHost(name);
  situation = await Situation.of(host.database, host.map, stores);
};

const erase = async (schema: string, kind: string, key: string, more: Partial<ErasureJob> = {}) => {
  const job = situation.job([await situation.person(kind, key)], more);
  const before = await situation.rows(schema);
  const steps = await situation.erase(job);
  return { job, steps, changes: difference(before, await situation.rows(schema)) };
};

describe('composite keys, partitions, policies and views', () => {
  test('a person with a composite key goes, their namesake elsewhere stays', async () => {
    await open('works');
    const { changes, steps } = await erase('Works', 'user', '["1", "1"]', { workspaces: ['1', '2'] });
    expect(changes).toEqual({
      '"Works"."User"': { gone: 1, come: 1 },
      '"Works".order_note': { gone: 1, come: 0 },
      '"Works"."LogEntry"': { gone: 2, come: 0 },
      '"Works".badge': { gone: 1, come: 0 },
    });
    expect(
      steps.filter(({ rule }) => rule === 'keep').map(({ collection, done }) => [collection, done]),
    ).toEqual([
      ['orders', 2],
      ['directory', 1],
    ]);
  });

  test('names and types that trip over SQL are erased like others', async () => {
    await open('odd');
    const job = situation.job([await situation.person('person', '["free", "9007199254740993"]')], {
      workspaces: ['T/1'],
    });
    const before = await situation.rows('odd');
    // No store has a bucket of this name; the rows go all the same, and the file is not forgotten.
    await expect(situation.erase(job)).rejects.toMatchObject({ code: 'erasure.files_left' });
    expect(await host.database.behindTheScenes('select bucket, path from habeas.erasure_files')).toEqual([
      { bucket: "it's", path: 'x' },
    ]);
    expect(difference(before, await situation.rows('odd'))).toEqual({
      'odd."a.b"': { gone: 1, come: 0 },
      'odd.tenant': { gone: 1, come: 1 },
    });
  });
});

test('somebody known by mail alone is erased wherever the mail stands, and replies of others only lose their pointer', async () => {
  await open('post');
  const { changes, steps } = await erase('post', 'reader', 'eva@example.org');
  expect(steps.map(({ collection, pointersCleared }) => [collection, pointersCleared])).toContainEqual([
    'comments',
    1,
  ]);
  expect(changes).toEqual({
    'post.subscription': { gone: 1, come: 0 },
    'post.revision': { gone: 1, come: 1 },
    // Adam's reply stays; the comment that it answered is gone, and ON DELETE SET NULL says so.
    'post.comment': { gone: 2, come: 1 },
    'post.bounce': { gone: 2, come: 0 },
    // zeta has Adam in it.
    'post.thread': { gone: 1, come: 0 },
    'post.note_without_key': { gone: 2, come: 0 },
  });
});

describe('keys that lead in circles', () => {
  test('are undone: in one statement, from the leaves up, and what hangs on a way is noted before the way goes', async () => {
    await open('../../deletion/foreign/circles');
    const check = await host.asHost((db) => checkDataMap(db, host.map));
    expect(check.errors).toEqual([]);
    expect(check.warnings.map(({ code, message }) => [code, message.split(':')[0]])).toContainEqual([
      'erasure.one_statement',
      'Foreign keys lead in a circle through teams, seats',
    ]);
    const { changes, steps, job } = await erase('circles', 'person', '1');
    expect(changes).toEqual({
      'circles.person': { gone: 1, come: 1 },
      'circles.team': { gone: 1, come: 0 },
      'circles.seat': { gone: 1, come: 0 },
      'circles.late': { gone: 2, come: 0 },
      'circles.branch': { gone: 32, come: 0 },
      'circles.account': { gone: 1, come: 1 },
      'circles.entry': { gone: 2, come: 0 },
      'circles.secret_note': { gone: 1, come: 0 },
      'circles.hidden_step': { gone: 1, come: 0 },
      'circles.room_paper': { gone: 1, come: 0 },
    });
    expect(steps.at(-1)?.collection).toBe('people');
    expect(steps.find(({ collection }) => collection === 'accounts')).toMatchObject({
      done: 2,
      pendingSweep: 2,
    });
    expect(await host.database.behindTheScenes('select key from habeas.erasure_rows')).toEqual([]);

    await sweepAfter(job);
  });

  test('the tombstones of several people get each their own pseudonym', async () => {
    await open('../../deletion/foreign/circles');
    const yaml = host.yaml.replace(
      'rule: tombstone, clear: [holder, secret]',
      'rule: tombstone, clear: [secret], set: { holder: pseudonym-uuid }',
    );
    const map = parseDataMap(yaml, { file: 'circles.yaml' });
    situation = await Situation.of(host.database, map, stores);
    const [one, two] = [await situation.person('person', '1'), await situation.person('person', '2')];
    const job = situation.job([one, two]);
    await situation.erase(job);
    const holders = await host.database.behindTheScenes(
      'select person, holder from circles.account order by no',
    );
    expect(holders).toEqual([
      { person: 1, holder: job.pseudonyms[subjectId(one)] },
      { person: 2, holder: job.pseudonyms[subjectId(two)] },
      { person: 1, holder: job.pseudonyms[subjectId(one)] },
    ]);
  });

  /** The horizon to the second; one row that something still refers to is put off, the other goes. */
  const sweepAfter = async (job: ErasureJob) => {
    const finals: string[] = [];
    const sweep = new TombstonesSweep(
      host.database.database,
      situation.host,
      new AuditLog(),
      situation.clock,
      {
        onSwept: (_, id) => Promise.resolve(void finals.push(id)),
      },
    );
    const accounts = async () =>
      (await host.database.behindTheScenes<{ no: number }>('select no from circles.account order by no')).map(
        ({ no }) => no,
      );
    await host.database.behindTheScenes(
      'create table circles.booking (account int references circles.account)',
    );
    await host.database.behindTheScenes('insert into circles.booking values (1)');
    situation.clock.advance(30 * 86_400_000 - 1000);
    expect(await sweep.run()).toBe(0);
    situation.clock.advance(1000);
    expect(await sweep.run()).toBe(1);
    expect(await accounts()).toEqual([1, 2]);
    const left = () =>
      host.database.behindTheScenes('select failure, attempts from habeas.tombstones where swept_at is null');
    expect(await left()).toEqual([{ failure: 'tombstone.in_use', attempts: 1 }]);
    expect(finals).toEqual([]);
    await host.database.behindTheScenes('delete from circles.booking');
    expect(await sweep.run()).toBe(0);
    // Whatever the application writes into an emptied row is not thrown away unseen.
    await host.database.behindTheScenes(`update circles.account set secret = 'new' where no = 1`);
    situation.clock.advance(6 * 3_600_000);
    expect(await sweep.run()).toBe(0);
    expect(await left()).toEqual([{ failure: 'tombstone.filled', attempts: 2 }]);
    await host.database.behindTheScenes('update circles.account set secret = null where no = 1');
    situation.clock.advance(6 * 3_600_000);
    expect(await sweep.run()).toBe(1);
    expect(await accounts()).toEqual([2]);
    expect(finals).toEqual([job.id]);
  };

  test('emptied rows lie until no hold covers them any more: on all, on their collection, on whose own row it is', async () => {
    await open('../../deletion/foreign/circles');
    const yaml = host.yaml.replace('rule: pseudonymise, set: { mail:', 'rule: tombstone, set: { mail:');
    situation = await Situation.of(host.database, parseDataMap(yaml, { file: 'circles.yaml' }), stores);
    const { database } = host.database;
    const audit = new AuditLog();
    const holds = new Holds(
      database,
      audit,
      situation.clock,
      new Sealing(Buffer.alloc(32, 7)),
      situation.host,
    );
    const sweep = new TombstonesSweep(database, situation.host, audit, situation.clock, {
      keeps: (...asked) => new TombstoneHolds(situation.host, holds).keeps(...asked),
    });
    const tenancy = systemTenancy(HOST_TENANT, 'test');
    const hold = async (more: object) => {
      const words = { ground: 'Claim', disclosable: false, reviewOn: '2027-01-31' };
      const { id } = await holds.place(tenancy, { ...words, ...more });
      return () => holds.release(tenancy, id);
    };
    const job = situation.job([await situation.person('person', '1')]);
    await situation.erase(job);
    const stay = async () =>
      (
        await host.database.behindTheScenes<{ collection: string; failure: string }>(
          'select collection, failure from habeas.tombstones where swept_at is null order by collection, id',
        )
      ).map(({ collection, failure }) => `${collection} ${failure}`);
    const swept = async () => {
      situation.clock.advance(6 * 3_600_000);
      return sweep.run();
    };
    situation.clock.advance(30 * 86_400_000);
    const lifts = [await hold({}), await hold({ collection: 'accounts' })];
    lifts.push(await hold({ subject: { kind: 'person', key: '1' } }), await hold({ collection: 'teams' }));
    expect(await swept()).toBe(0);
    expect(await stay()).toEqual([
      'accounts tombstone.held',
      'accounts tombstone.held',
      'people tombstone.held',
    ]);
    await lifts[0]?.();
    expect(await swept()).toBe(0);
    await lifts[1]?.();
    expect(await swept()).toBe(2);
    expect(await stay()).toEqual(['people tombstone.held']);
    await lifts[2]?.();
    await swept();
    expect(await stay()).not.toContain('people tombstone.held');
  });

  test('a row of the circle that is somebody else’s stops it, and nothing of the circle is gone', async () => {
    await open('../../deletion/foreign/circles');
    await host.database.behindTheScenes('insert into circles.seat values (12, 2, 1)');
    const job = situation.job([await situation.person('person', '1')]);
    await expect(situation.erase(job)).rejects.toMatchObject({
      code: 'erasure.blocked_by_constraint',
      details: { extra: { constraint: 'seat_team_fkey', at: 'circles.seat' } },
    });
    expect(await host.database.behindTheScenes('select id from circles.team order by 1')).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
  });
});
