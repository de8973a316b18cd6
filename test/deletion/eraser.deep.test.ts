import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { type Database } from '../../src/database/database.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase } from '../support/database.js';
import { difference, putText, Situation } from './eraser-situation.js';

const me = demoPeople.member.userId;
const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));

/** Dies at the n-th transaction; @returns whether it came to its end */
async function attempt(at: number, when: 'before' | 'after'): Promise<boolean> {
  const db = await createDatabase('atelier_template');
  const home = await mkdtemp(join(tmpdir(), 'deep-'));
  try {
    const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
    const situation = await Situation.of(db, map, stores);
    const person = await situation.person('user', me);
    const workspaces = await db.database.asHost((host) =>
      situation.host.workspaces.workspacesTouched(host, [person]),
    );
    const job = situation.job([person], { workspaces });
    const [file] = await db.behindTheScenes<{ bucket: string; path: string }>(
      'select bucket, path from atelier.attachments join atelier.messages m on m.id = message_id where author_id = $1 limit 1',
      [me],
    );
    await putText(stores, file?.bucket ?? '', file?.path ?? '');
    await situation.begin(job);
    const before = await situation.rows('atelier');
    const mortal = await Situation.of(db, map, stores, dying(db.database, when, at));
    const ended = await mortal.eraser.run(job).then(
      () => true,
      () => false,
    );
    const steps = await situation.eraser.run(job);
    expect(difference(before, await situation.rows('atelier'))).toEqual({
      'atelier.attachments': { gone: 22, come: 0 },
      'atelier.integrations': { gone: 1, come: 0 },
      'atelier.memberships': { gone: 1, come: 0 },
      'atelier.messages': { gone: 958, come: 0 },
      'atelier.users': { gone: 1, come: 1 },
      'atelier.workroom_invitations': { gone: 1, come: 1 },
    });
    expect(steps.map(({ done }) => done)).toEqual([22, 958, 1, 0, 1, 1, 1, 1]);
    expect(steps[0]?.filesRemoved).toBe(22);
    expect(await stores.bucket(file?.bucket ?? '').stat(file?.path ?? '')).toBeNull();
    return ended;
  } finally {
    await db.drop();
    await rm(home, { recursive: true, force: true });
  }
}

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

test('wherever an erasure is stopped, the next run ends as if nothing had happened', async () => {
  for (const when of ['before', 'after'] as const) {
    let at = 1;
    while (!(await attempt(at, when))) at += 1;
    expect(at).toBeGreaterThan(20);
  }
}, 1_200_000);
