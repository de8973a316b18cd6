import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { type ErasureLedger, type Found } from '../../src/deletion/ledger/ledger.js';
import { planReport, replayReport } from '../../src/deletion/ledger/ledger.cli.js';
import { type LedgerEntry } from '../../src/deletion/ledger/entry.js';
import { type EraserPort } from '../../src/deletion/ledger/replay.js';
import { Signing } from '../../src/keys/signing.js';
import { unavailable } from '../../src/storage/object-store.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { difference, Situation } from './eraser-situation.js';
import { backup, LedgerSituation } from './ledger-situation.js';

const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));
const taken = new Date('2026-11-20T04:00:00Z');

describe('an erasure ledger and a backup', () => {
  let home: string;
  let stores: LocalStores;
  let before: TestDatabase;
  let erased: LedgerSituation;
  let saved: string;
  const jobs: Record<'member' | 'customer' | 'guest', ErasureJob> = {} as never;
  const restored: TestDatabase[] = [];
  const names: string[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'habeas-ledger-'));
    stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
    before = await createDatabase('atelier_template');
    await before.behindTheScenes(
      `insert into atelier.workroom_invitations (workroom_id, created_at, invited_by, invited_email, greeting)
       select id, now(), owner_id, 'Gustav.Guest@elsewhere.example', 'Come in'
       from atelier.workrooms where workspace_id = $1 order by id limit 1`,
      [workspaceIds.acme],
    );
    saved = await backup(before);
    erased = new LedgerSituation(await Situation.of(before, map, stores));
    const { situation } = erased;
    const member = await situation.person('user', demoPeople.member.userId);
    const workspaces = await before.database.asHost((host) =>
      situation.host.workspaces.workspacesTouched(host, [member]),
    );
    const [row] = await before.behindTheScenes<{ id: string }>(
      'select id from atelier.customers where workspace_id = $1 and email is not null order by id limit 1',
      [workspaceIds.acme],
    );
    const customer = await situation.person('customer', row?.id ?? '');
    const guest = await situation.person('guest', 'Gustav.Guest@elsewhere.example');
    const inAcme = { tenant: workspaceIds.acme, scope: 'person', workspaces: [workspaceIds.acme] } as const;
    jobs.member = situation.job([member], { workspaces });
    jobs.customer = situation.job([customer], { ...inAcme, workspaces: [...inAcme.workspaces] });
    jobs.guest = situation.job([guest], { ...inAcme, workspaces: [...inAcme.workspaces] });
    for (const { subjects } of Object.values(jobs))
      names.push(
        ...subjects.flatMap(({ identifiers }) => Object.values(identifiers).flatMap((v) => v ?? [])),
      );
    let hour = 8;
    for (const job of Object.values(jobs)) {
      await situation.erase(job);
      await erased.enter(job, new Date(`2026-11-20T${String(hour++).padStart(2, '0')}:00:00Z`));
    }
  });
  afterAll(async () => {
    for (const db of [before, ...restored]) await db.drop();
    const clean = await createDatabase();
    await clean.behindTheScenes(`drop database ${saved} with (force)`);
    await clean.drop();
    await rm(home, { recursive: true });
  });

  /** The database as it was before anybody was erased; the ledger is not part of it. */
  async function restore(): Promise<LedgerSituation> {
    const db = await createDatabase(saved as never);
    restored.push(db);
    return new LedgerSituation(await Situation.of(db, map, stores));
  }
  const found = async (ledger: ErasureLedger, since?: Date) => {
    const all: Found[] = [];
    for await (const each of ledger.entries(since)) all.push(each);
    return all;
  };

  test('the ledger holds one object an erasure, however often it is written, and names nobody', async () => {
    await erased.enter(jobs.member, new Date('2026-11-20T08:00:00Z'));
    const entries = await found(erased.ledger);
    expect(entries).toHaveLength(3);
    expect(entries.map(({ path }) => path).sort()[0]).toBe(
      `erasures/2026/11/2026-11-20T080000.000Z-${jobs.member.id}.json`,
    );
    const identities = names.filter((name) => name !== demoPeople.member.userId);
    expect(identities.length).toBeGreaterThanOrEqual(3);
    for (const { path } of entries) {
      const text = await readFile(join(home, 'dsar-exports-ledger', path), 'utf8');
      for (const name of identities) expect(text.toLowerCase()).not.toContain(name.toLowerCase());
    }
    await expect(
      erased.enter({ ...jobs.member, scope: 'person' }, new Date('2026-11-20T08:00:00Z')),
    ).rejects.toThrow('something else in the place');
  });

  test('where nothing was restored, nobody came back', async () => {
    const { text, exitCode } = await planReport(erased.replay);
    expect([exitCode, text]).toEqual([0, '3 erasures looked at: nobody came back.\n']);
  });

  test('a restore brings everybody back, and a replay leaves the very bytes that the first erasure left', async () => {
    const { situation, replay, eraser } = await restore();
    const plan = await planReport(replay, taken.toISOString());
    expect(plan.exitCode).toBe(1);
    for (const job of Object.values(jobs)) expect(plan.text).toContain(job.id);
    for (const name of names.filter((n) => n.includes('@'))) expect(plan.text).not.toContain(name);

    let text = '';
    const write = (more: string) => void (text += more);
    const exitCode = await replayReport(replay, eraser, { since: taken.toISOString(), write });
    expect([exitCode, text]).toEqual([0, expect.stringContaining('3 erasures repeated, 0 left to look at.')]);

    expect(difference(await erased.situation.rows('atelier'), await situation.rows('atelier'))).toEqual({});
    const [user] = await situation.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [demoPeople.member.userId],
    );
    const uuid = jobs.member.pseudonyms[`user:${demoPeople.member.userId}`] ?? '';
    expect(user?.email).toBe(`deleted-${uuid}@deleted.invalid`);

    expect((await planReport(replay)).text).toBe('3 erasures looked at: nobody came back.\n');
    const events = await situation.db.behindTheScenes<{ id: string }>(
      `select targets -> 0 ->> 'id' as id from habeas.events where action = 'erasure.repeated' order by id`,
    );
    expect(events.map(({ id }) => id).sort()).toEqual(
      Object.values(jobs)
        .map(({ id }) => id)
        .sort(),
    );
    const sealed = await situation.db.behindTheScenes(
      'select from habeas.erasures where job_sealed is not null',
    );
    expect(sealed).toHaveLength(0);
  });

  test('whoever was erased before the backup was taken is left alone', async () => {
    const { replay, eraser } = await restore();
    const since = new Date('2026-11-20T08:30:00Z');
    const ids = (await replay.plan(since)).recurrences.map(({ entry }) => entry.erasureId);
    expect(ids).toEqual([jobs.customer.id, jobs.guest.id]);
    for await (const { outcome } of replay.replay(eraser, since)) expect(outcome).toBe('repeated');
    const { recurrences } = await replay.plan();
    expect(recurrences.map(({ entry }) => entry.erasureId)).toEqual([jobs.member.id]);
  });

  test('one row put back is found by its hashed mail, even where the database remembers the erasure', async () => {
    const { situation, replay, eraser } = await restore();
    for await (const _ of replay.replay(eraser, taken));
    const [room] = await situation.db.behindTheScenes<{ id: string }>(
      'select id from atelier.workrooms where workspace_id = $1 order by id limit 1',
      [workspaceIds.acme],
    );
    const again = () =>
      situation.db.behindTheScenes(
        `insert into atelier.workroom_invitations (workroom_id, created_at, invited_email)
         values ($1, now(), ' gustav.guest@ELSEWHERE.example')`,
        [room?.id],
      );
    for (let round = 0; round < 2; round++) {
      await again();
      const { recurrences } = await replay.plan(taken);
      expect(recurrences.map(({ entry, left }) => [entry.erasureId, left])).toEqual([
        [jobs.guest.id, [{ collection: 'invitations_received', rows: 1 }]],
      ]);
      const outcomes: string[] = [];
      for await (const { outcome } of replay.replay(eraser, taken)) outcomes.push(outcome);
      expect(outcomes).toEqual(['repeated']);
    }
  });

  test('one that fails does not stop the others, and is told', async () => {
    const { replay, eraser } = await restore();
    const failing: EraserPort = {
      repeat: (job, entry) =>
        entry.erasureId === jobs.customer.id
          ? Promise.reject(unavailable('answer'))
          : eraser.repeat(job, entry),
    };
    let text = '';
    const exitCode = await replayReport(replay, failing, {
      since: taken.toISOString(),
      write: (more) => void (text += more),
    });
    expect(exitCode).toBe(1);
    expect(text).toContain(`${jobs.customer.id}  FAILED; run this again (storage.unavailable)`);
    expect(text).toContain('2 erasures repeated, 1 left to look at.');
  });

  test('what is no entry of ours is told and never replayed', async () => {
    const { replay } = await restore();
    const folder = join(home, 'dsar-exports-ledger', 'erasures', '2026', '11');
    const [name, moved, forged, junk] = [
      `2026-11-20T080000.000Z-${jobs.member.id}.json`,
      `2026-11-21T080000.000Z-${jobs.member.id}.json`,
      '2026-11-20T080000.000Z-00000000-0000-4000-8000-0000000000ff.json',
      'notes.txt',
    ] as const;
    const body = await readFile(join(folder, name), 'utf8');
    const { signature: _, ...entry } = JSON.parse(body) as LedgerEntry & { signature: object };
    const foreign = new Signing(Buffer.alloc(32, 3)).sign({
      ...entry,
      erasureId: '00000000-0000-4000-8000-0000000000ff',
      subjects: [{ ...entry.subjects[0], key: demoPeople.neighbour.userId }],
    });
    await writeFile(join(folder, moved), body);
    await writeFile(join(folder, forged), JSON.stringify(foreign));
    await writeFile(join(folder, junk), 'hello');
    try {
      const { problems, recurrences } = await replay.plan(taken);
      expect(
        Object.fromEntries(problems.map(({ path, problem }) => [path.split('/').at(-1), problem])),
      ).toEqual({
        [moved]: 'ledger.misplaced',
        [forged]: 'signature.unknown_key',
        [junk]: 'json.malformed',
      });
      expect(recurrences).toHaveLength(3);
      expect((await planReport(replay)).text).toContain('NOT READ  erasures/2026/11/notes.txt');
    } finally {
      for (const file of [moved, forged, junk]) await rm(join(folder, file));
    }
  });

  test('a storage that is away is an error, not an empty ledger', async () => {
    const away = {
      bucket: (name: string) =>
        Object.assign(Object.create(stores.bucket(name)) as ReturnType<LocalStores['bucket']>, {
          list: () => {
            throw unavailable('list');
          },
        }),
    };
    const { replay } = new LedgerSituation(await Situation.of(before, map, away));
    await expect(replay.plan()).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  test('a moment that is none is refused', async () => {
    await expect(planReport(erased.replay, 'yesterday')).rejects.toThrow('--since takes a moment');
    expect(jobs.member.tenant).toBe(HOST_TENANT);
  });
});
