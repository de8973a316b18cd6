import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readDataMap } from '../../src/app/data-map.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { grantsReport } from '../../src/datamap/datamap.cli.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { TestDesk } from '../support/desk.js';

describe('with nothing but what `datamap grants` prints', () => {
  let desk: TestDesk;
  beforeEach(async () => {
    desk = await TestDesk.open({ work: false });
    await desk.db.behindTheScenes('revoke all on all tables in schema atelier from habeas_host');
    await desk.db.behindTheScenes('revoke all on schema atelier from habeas_host');
    // As Supabase has one: no table of the map, and yet people are in it.
    await desk.db.behindTheScenes('create schema vault');
    await desk.db.behindTheScenes('create table vault.notes (id int primary key, words text)');
    await desk.db.behindTheScenes('revoke all on schema vault from public');
  });
  afterEach(() => desk.close());

  const grant = async (options: { residue?: boolean } = {}) => {
    const owner = {
      query: (sql: string, values?: readonly unknown[]) =>
        desk.db.behindTheScenes(sql, values && [...values]) as never,
    };
    const { text } = await grantsReport(owner, readDataMap(desk.config), options);
    // Twice: it is run again after each migration.
    for (let time = 0; time < 2; time += 1) await desk.db.behindTheScenes(text);
    await desk.lookAtHost();
  };
  const deleted = async () => {
    const me = await desk.as('member');
    const filed = await me.post('/v1/me/requests', { kind: 'deletion', coolingOff: 'PT0S' });
    await desk.app.get(DeletionFulfilment).run({ tenant: HOST_TENANT, id: filed.body.id as string });
    const [row] = await desk.db.behindTheScenes<{
      status: string;
      failure: { code: string; message: string } | null;
    }>('select status, failure from habeas.requests where id = $1', [filed.body.id]);
    return row;
  };

  test('a person is erased end to end, and proven to be: every table can be searched', async () => {
    await grant();
    expect(await deleted()).toEqual({ status: 'fulfilled', failure: null });
    const rights = await desk.db.behindTheScenes(
      `select privilege_type as may from information_schema.table_privileges
       where grantee = 'habeas_host' and table_schema = 'vault'`,
    );
    expect(rights).toEqual([{ may: 'SELECT' }]);
  });

  test('without any of it nothing begins, and the request waits', async () => {
    await desk.lookAtHost();
    expect(await deleted()).toEqual({ status: 'scheduled', failure: null });
    expect(await desk.db.behindTheScenes('select 1 from habeas.erasures')).toEqual([]);
  });

  test('without the right to search, the erasure is not certified and names the table', async () => {
    await grant({ residue: false });
    const row = await deleted();
    expect(row).toMatchObject({ status: 'failed', failure: { code: 'residue.found' } });
    expect(row?.failure?.message).toContain('vault.notes (no_grant)');
  });
});
