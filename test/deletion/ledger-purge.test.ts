import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WorkspaceDeletionFulfilment } from '../../src/dsar/workspace-deletion/fulfilment.js';
import { acme, DAY, rowsOfHost, schedule } from '../journeys/workspace-purge-scene.js';
import { difference } from './eraser-situation.js';
import { LedgerRequests } from './ledger-requests.js';
import { backup, dropBackup, restore } from './ledger-situation.js';

describe('a database restored from a backup that was taken before a workspace was purged', () => {
  let its: LedgerRequests;
  let saved: string | undefined;
  beforeEach(async () => {
    its = await LedgerRequests.open();
  });
  afterEach(async () => {
    if (saved) await dropBackup(its.desk.db, saved);
    saved = undefined;
    await its.desk.close();
  });

  const directory = async () =>
    (
      await its.desk.db.behindTheScenes<{ purged: boolean; named: boolean }>(
        'select purged_at is not null as purged, host_key is not null as named from habeas.workspaces where id = $1',
        [acme],
      )
    )[0];
  const certificates = () =>
    its.desk.db.behindTheScenes('select id, certificate from habeas.erasures where certificate is not null');
  const purge = (id: string) =>
    its.desk.app.get(WorkspaceDeletionFulfilment, { strict: false }).run({ tenant: acme, id });
  const purged = () =>
    its.desk.mails().then((mails) => mails.filter(({ subject }) => /is deleted$/.test(subject ?? '')));

  test.each([
    ['with its deletion scheduled in it', true],
    ['with no deletion in it', false],
  ])(
    '%s: it is purged again, once, to the same rows, and nobody gets a second mail',
    async (_, scheduled) => {
      if (!scheduled) saved = await backup(its.desk.db);
      const id = await schedule(its.desk);
      await its.deliver();
      if (scheduled) saved = await backup(its.desk.db);
      const full = await rowsOfHost(its.desk);
      its.desk.clock.advance(30 * DAY);
      await purge(id);
      await its.deliver();
      const first = {
        host: await rowsOfHost(its.desk),
        mails: (await purged()).length,
        certificates: await certificates(),
      };
      expect(first.certificates).toHaveLength(1);
      expect(first.mails).toBeGreaterThan(0);
      expect(await directory()).toEqual({ purged: true, named: false });

      await restore(its.desk.db, saved ?? '');
      expect(difference(full, await rowsOfHost(its.desk))).toEqual({});
      expect((await its.replay.plan()).recurrences.map(({ entry }) => entry.jobId)).toEqual([id]);
      expect(await its.replayed()).toEqual({
        exitCode: 0,
        text: expect.stringContaining('1 erasure repeated, 0 left to look at.'),
      });
      expect(difference(first.host, await rowsOfHost(its.desk))).toEqual({});
      expect(await certificates()).toEqual(first.certificates);
      // A directory that had never seen the workspace has nothing to forget.
      expect(await directory()).toEqual(scheduled ? { purged: true, named: false } : undefined);
      expect((await its.replay.plan()).recurrences).toEqual([]);
      expect((await its.replayed()).text).toContain('0 left to look at.');
      // Whatever the request would still do by itself, it does no more.
      await its.desk.sweep();
      await purge(id).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'request.not_found' });
      });
      await its.deliver();
      expect((await purged()).length).toBe(first.mails);
      expect(difference(first.host, await rowsOfHost(its.desk))).toEqual({});
    },
    60_000,
  );

  test('whose worker is there before the replay: purged again by the same certificate, with the same end of its log, and told nobody', async () => {
    const logEnd = () =>
      its.desk.db.behindTheScenes<{ days: number }>(
        'select round(extract(epoch from log_ends_at - purged_at) / 86400)::int as days from habeas.workspace_purges',
      );
    await its.desk.db.behindTheScenes(
      `insert into habeas.retention_rules (tenant_id, target, is_set, keep) values ($1, 'auditLog', true, 'P4000D')`,
      [acme],
    );
    const id = await schedule(its.desk);
    await its.deliver();
    saved = await backup(its.desk.db);
    its.desk.clock.advance(30 * DAY);
    await purge(id);
    await its.deliver();
    const [host, mails, first] = [await rowsOfHost(its.desk), (await purged()).length, await certificates()];
    expect(await logEnd()).toEqual([{ days: 4000 }]);
    await restore(its.desk.db, saved);
    its.desk.clock.advance(DAY);
    await purge(id);
    await its.deliver();
    const [request] = await its.desk.db.behindTheScenes(
      'select status, outcome, failure from habeas.requests where id = $1',
      [id],
    );
    expect(request).toEqual({ status: 'fulfilled', outcome: 'full', failure: null });
    expect(difference(host, await rowsOfHost(its.desk))).toEqual({});
    expect(await certificates()).toEqual(first);
    expect(await directory()).toEqual({ purged: true, named: false });
    expect(await logEnd()).toEqual([{ days: 4000 }]);
    expect((await its.replayed()).text).toContain('0 erasures repeated, 0 left to look at.');
    expect((await purged()).length).toBe(mails);
    expect(await certificates()).toEqual(first);
  }, 60_000);
});
