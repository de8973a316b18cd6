import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startTestPostgres } from '../support/test-postgres.js';
import { FaultyDesk } from './faulty-desk.js';

/** Roles belong to the whole server, and others test on the shared one: this file has a server of its own. */
describe('the role that reads the host’s tables loses its right to see past their policies', () => {
  let stopServer: () => Promise<void>;
  let faulty: FaultyDesk;
  const shared = { home: process.env.HABEAS_TEST_HOME, url: process.env.HABEAS_TEST_POSTGRES };

  beforeAll(async () => {
    stopServer = await startTestPostgres();
    faulty = await FaultyDesk.open();
  }, 180_000);
  afterAll(async () => {
    await faulty.desk.close();
    await stopServer();
    [process.env.HABEAS_TEST_HOME, process.env.HABEAS_TEST_POSTGRES] = [shared.home, shared.url];
  }, 180_000);

  const sql = (text: string) => faulty.desk.db.behindTheScenes(text);
  const putOff = async () => {
    faulty.fault = { packages: () => ({ put: () => Promise.reject(new Error('not now')) }) };
    const id = await faulty.file('viewer');
    await faulty.afterAttempts(id, 1);
    faulty.fault = {};
    return id;
  };

  test('no package is built from what is left to see: it fails loudly, names the table, and waits', async () => {
    const id = await putOff();
    await sql('alter role habeas_host nobypassrls');
    await faulty.later(1);
    const failed = await faulty.afterAttempts(id, 2);
    expect(failed.failure?.message).toMatch(/row-level security policy for table "\w+"/);
    expect(await faulty.stored(id)).toEqual([]);

    await faulty.desk.lookAtHost();
    await faulty.later(5);
    const waiting = await eventually(async () => {
      const standing = await faulty.standing(id);
      return standing.failure?.code === 'datamap.drift' ? standing : undefined;
    });
    expect(waiting).toMatchObject({ status: 'in_progress', attempts: 2 });
    expect(waiting.failure?.message).toMatch(/atelier\.\w+: .*row-level security/i);
    expect(await faulty.stored(id)).toEqual([]);

    await sql('alter role habeas_host bypassrls');
    await faulty.desk.lookAtHost();
    await faulty.later(1);
    await faulty.fulfilled(id);
    expect(await faulty.stored(id)).toHaveLength(1);
  });
});
