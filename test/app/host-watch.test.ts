import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { readDataMap } from '../../src/app/data-map.js';
import { loadDemoHost } from '../../src/app/demo-host.js';
import { HostWatch } from '../../src/app/host-watch.js';
import { openStores } from '../../src/app/stores.js';
import { readConfig } from '../../src/config.js';
import { checkDataMap } from '../../src/datamap/check.js';
import { createLog } from '../../src/http/log.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let db: TestDatabase;
let home: string;
let watch: HostWatch;
let lines: Record<string, unknown>[];

const sink = new Writable({
  write(chunk: Buffer, _encoding, done) {
    lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
    done();
  },
});

beforeAll(async () => {
  lines = [];
  db = await createDatabase();
  home = await mkdtemp(join(tmpdir(), 'habeas-watch-'));
  const config = readConfig({ HABEAS_HOME: home });
  const map = readDataMap(config);
  await loadDemoHost(db.ownerUrl, map, openStores(config));
  watch = await HostWatch.open(db.database, map, createLog({ logLevel: 'warn' }, sink));
});
afterAll(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

test('the demo host fits its map from the start, grants included', () => {
  expect(watch.hostMap.problems).toEqual([]);
  expect(lines).toEqual([]);
});

test('a map by which nobody can be known who signs in is warned of at the start, once', async () => {
  const heard: string[] = [];
  const ear = new Writable({
    write(chunk: Buffer, _encoding, done) {
      heard.push(chunk.toString());
      done();
    },
  });
  const { map } = watch.hostMap;
  const subjects = Object.fromEntries(
    Object.entries(map.subjects).map(([name, { signIn: _, ...kind }]) => [name, kind]),
  );
  const deaf = await HostWatch.open(db.database, { ...map, subjects }, createLog({ logLevel: 'warn' }, ear));
  await deaf.look();
  expect(heard).toHaveLength(1);
  expect(JSON.parse(heard[0] ?? '')).toMatchObject({ code: 'sign_in.missing', where: 'subjects' });
});

test('a column that vanishes makes packages wait, says so once, and names it', async () => {
  await db.behindTheScenes('alter table atelier.users rename column display_name to shown_as');
  await watch.look();
  await watch.look();
  expect(() => watch.hostMap.assertFits()).toThrow('Column atelier.users.display_name is gone.');
  const told = lines.map(({ msg }) => String(msg));
  expect(told.filter((line) => line.includes('display_name is gone'))).toHaveLength(1);
  expect(told.at(-1)).toContain('packages and erasures wait');
});

test('when it is back, packages go on without a restart', async () => {
  await db.behindTheScenes('alter table atelier.users rename column shown_as to display_name');
  await watch.look();
  expect(() => watch.hostMap.assertFits()).not.toThrow();
});

test('a row that an erasure would fail on refuses the map, and makes nobody else’s package wait', async () => {
  await db.behindTheScenes(
    `alter table atelier.users add constraint reachable check (language is not null or created_at > '2099-01-01') not valid`,
  );
  const { errors } = await db.database.asHost((host) => checkDataMap(host, watch.hostMap.map));
  expect(errors).toMatchObject([{ code: 'erasure.impossible', where: 'atelier.users.language' }]);
  await watch.look();
  expect(() => watch.hostMap.assertFits()).not.toThrow();
  await db.behindTheScenes('alter table atelier.users drop constraint reachable');
});

test('a grant that is taken away makes packages wait as well', async () => {
  await db.behindTheScenes('revoke select on atelier.messages from habeas_host');
  await watch.look();
  expect(watch.hostMap.problems.join()).toContain('atelier.messages');
});
