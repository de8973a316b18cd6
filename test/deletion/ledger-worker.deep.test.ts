import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LedgerRequests } from './ledger-requests.js';
import { backup, dropBackup, restore } from './ledger-situation.js';
import { WatchedLedger } from './watched-ledger.js';

const MINUTE = 60_000;
const ledger = new WatchedLedger();
let its: LedgerRequests;

describe('a restored database whose request a worker takes up before anybody has replayed the ledger', () => {
  let saved: string[] = [];
  beforeEach(async () => {
    its = await LedgerRequests.open();
    await its.earlierPackage();
  });
  afterEach(async () => {
    for (const name of saved) await dropBackup(its.desk.db, name);
    saved = [];
    await its.desk.close();
  });
  const save = async () => {
    const name = await backup(its.desk.db);
    saved.push(name);
    return name;
  };
  const back = async (name: string) => {
    await restore(its.desk.db, name);
    its.desk.clock.advance(60 * MINUTE);
    expect(await its.placesOfAddress()).not.toEqual([]);
  };
  /** Whatever comes after it finds nothing left to do, or to tell. */
  const expectSettled = async (id: string, first: Awaited<ReturnType<LedgerRequests['memory']>>) => {
    expect(await its.memory(id)).toEqual(first);
    expect((await its.replay.plan()).recurrences).toEqual([]);
    expect((await its.replayed()).text).toContain('0 erasures repeated, 0 left to look at.');
    await its.fulfil({ id, path: '' });
    expect(await its.memory(id)).toEqual(first);
    expect(await its.placesOfAddress()).toEqual([]);
  };

  test('erased under the same ids, by the same certificate, without a second mail; and so it is with the replay first', async () => {
    const asked = await its.ask();
    const before = await save();
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    expect(first).toMatchObject({ mailsTold: 1, erasures: [{ wiped: true }] });

    await back(before);
    await its.fulfil(asked);
    expect(await its.standing(asked)).toMatchObject({ status: 'fulfilled', outcome: 'full', failure: null });
    await expectSettled(asked.id, first);

    await back(before);
    expect((await its.replayed()).text).toContain('1 erasure repeated, 0 left to look at.');
    await expectSettled(asked.id, first);

    await back(before);
    await Promise.all([its.fulfil(asked), its.replayed()]);
    await expectSettled(asked.id, first);
  }, 90_000);

  test('with the erasure half done in it: what was begun is finished, and certified as it was', async () => {
    const asked = await its.ask();
    const sql = its.desk.db.behindTheScenes.bind(its.desk.db);
    await sql(
      `create function atelier.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
    );
    await sql(
      'create trigger refuse before update on atelier.users for each row execute function atelier.refuse()',
    );
    await its.fulfil(asked);
    await sql('drop trigger refuse on atelier.users');
    const begun = await sql('select 1 from habeas.erasures where irreversible_at is not null');
    expect(begun).toHaveLength(1);
    const halfDone = await save();
    its.desk.clock.advance(2 * MINUTE);
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    expect(first).toMatchObject({ mailsTold: 1, erasures: [{ wiped: true }] });

    await back(halfDone);
    await its.fulfil(asked);
    await expectSettled(asked.id, first);
  }, 90_000);
});

describe('what the ledger is asked before anything begins', () => {
  beforeAll(async () => {
    its = await LedgerRequests.open(ledger.stores);
  });
  afterAll(() => its.desk.close());

  test('when it cannot be reached, nothing is touched: a failed attempt, tried again', async () => {
    const asked = await its.ask('viewer');
    const { host } = await its.memory(asked.id);
    ledger.isDown = true;
    await its.fulfil(asked);
    ledger.isDown = false;
    expect(await its.standing(asked)).toMatchObject({
      status: 'in_progress',
      failure: { code: 'storage.unavailable' },
      attempts: 1,
    });
    expect(await its.desk.db.behindTheScenes('select 1 from habeas.erasures')).toEqual([]);
    expect((await its.memory(asked.id)).host).toEqual(host);
    its.desk.clock.advance(2 * MINUTE);
    await its.fulfil(asked);
    expect(await its.standing(asked)).toMatchObject({ status: 'fulfilled', outcome: 'full' });
  }, 60_000);

  test('costs an erasure that is the first of its request one look-up, and nothing for each batch', async () => {
    const asked = await its.ask('member');
    ledger.calls = [];
    await its.fulfil(asked);
    expect(await its.standing(asked)).toMatchObject({ status: 'fulfilled' });
    // The look-up; whether the entry is there; pointer and entry.
    expect(ledger.calls).toEqual(['stat', 'stat', 'put', 'put']);
    expect(ledger.reads).toBe(2);
  }, 60_000);
});
