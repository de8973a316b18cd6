import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { LedgerRequests } from './ledger-requests.js';
import { backup, dropBackup, restore } from './ledger-situation.js';

describe('a database restored from a backup that was taken before a person was erased', () => {
  let its: LedgerRequests;
  let saved: string | undefined;
  beforeEach(async () => {
    its = await LedgerRequests.open();
    await its.earlierPackage();
  });
  afterEach(async () => {
    if (saved) await dropBackup(its.desk.db, saved);
    saved = undefined;
    await its.desk.close();
  });

  /** Replays, and holds everything against what the first erasure left. */
  async function expectAsErasedAsBefore(id: string, first: Awaited<ReturnType<LedgerRequests['memory']>>) {
    expect(await its.placesOfAddress()).not.toEqual([]);
    expect((await its.replay.plan()).recurrences.map(({ entry }) => entry.jobId)).toEqual([id]);
    expect(await its.replayed()).toEqual({
      exitCode: 0,
      text: expect.stringContaining('1 erasure repeated, 0 left to look at.'),
    });
    await its.desk.sweep();
    expect(await its.memory(id)).toEqual(first);
    expect(await its.placesOfAddress()).toEqual([]);
    expect((await its.replay.plan()).recurrences).toEqual([]);
    // Whatever the request would still do by itself, it does no more.
    await its.fulfil({ id, path: '' }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'request.not_found' });
    });
    expect(await its.memory(id)).toEqual(first);
  }

  test('with the request scheduled in it: erased under the same pseudonym, by the same certificate, without a second mail', async () => {
    const asked = await its.ask();
    saved = await backup(its.desk.db);
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    expect(first).toMatchObject({ mailsTold: 1, packages: [], pseudonyms: [], erasures: [{ wiped: true }] });
    await restore(its.desk.db, saved);
    await expectAsErasedAsBefore(asked.id, first);
    const me = await its.desk.as('member');
    const { body } = await me.get(asked.path);
    expect(body).toMatchObject({ status: 'fulfilled', outcome: 'full' });
    expect((await me.get(`${asked.path}/certificate`)).body).toEqual(
      (first.erasures[0] as { certificate: unknown }).certificate,
    );
  }, 60_000);

  test('with a hold of the host on the person: nothing is repeated until it is released', async () => {
    saved = await backup(its.desk.db);
    const asked = await its.ask();
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    await restore(its.desk.db, saved);
    const back = await its.placesOfAddress();
    const support = await its.desk.as('support');
    const path = `/v1/workspaces/${HOST_TENANT}/holds`;
    const placed = await support.post(path, {
      subject: { kind: 'user', key: demoPeople.member.userId },
      ground: 'Tax audit',
      reviewOn: '2027-01-31',
    });
    expect(placed.status).toBe(201);
    expect((await its.replayed()).text).toContain('FAILED; run this again (deletion.held)');
    expect(await its.placesOfAddress()).toEqual(back);
    await support.delete(`${path}/${placed.body.id}`);
    await expectAsErasedAsBefore(asked.id, first);
  }, 60_000);

  test('with no request in it: it is remembered all the same', async () => {
    saved = await backup(its.desk.db);
    const asked = await its.ask();
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    await restore(its.desk.db, saved);
    await expectAsErasedAsBefore(asked.id, first);
  }, 60_000);

  test('with the erasure half done in it: what was begun is finished, not begun again', async () => {
    const asked = await its.ask();
    await its.desk.db.behindTheScenes(
      `create function atelier.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
    );
    await its.desk.db.behindTheScenes(
      'create trigger refuse before update on atelier.users for each row execute function atelier.refuse()',
    );
    await its.fulfil(asked);
    await its.desk.db.behindTheScenes('drop trigger refuse on atelier.users');
    saved = await backup(its.desk.db);
    its.desk.clock.advance(2 * 60_000);
    await its.fulfil(asked);
    const first = await its.memory(asked.id);
    expect(first.user).toMatch(/^deleted-/);
    await restore(its.desk.db, saved);
    await expectAsErasedAsBefore(asked.id, first);
  }, 60_000);

  test('somebody who came and went after it is suppressed again, although nothing of them came back', async () => {
    const { userId } = demoPeople.member;
    saved = await backup(its.desk.db);
    const asked = await its.ask();
    await its.fulfil(asked);
    const { suppressions } = await its.memory(asked.id);
    await restore(its.desk.db, saved);
    // As if the account had never been in the backup.
    for (const sql of [
      'set session_replication_role = replica',
      `delete from atelier.users where id = '${userId}'`,
      'reset session_replication_role',
    ])
      await its.desk.db.behindTheScenes(sql);
    await its.replayed();
    expect((await its.memory(asked.id)).suppressions).toEqual(suppressions);
  }, 60_000);
});
