import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const here = '10000000-0000-4000-8000-000000000001';
const elsewhere = '10000000-0000-4000-8000-000000000002';

describe('a unit of work', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createDatabase();
  });
  afterAll(() => db.drop());

  const addController = (tenant: string, name: string) =>
    db.database.within(systemTenancy(tenant, 'test'), (tx) =>
      tx.query('insert into habeas.controllers (tenant_id, name) values ($1, $2)', [tenant, name]),
    );
  const names = (tenant: string) =>
    db.database.within(systemTenancy(tenant, 'test'), (tx) =>
      tx.query<{ name: string }>('select name from habeas.controllers'),
    );

  test('sees its own tenant only, and nothing without a tenant', async () => {
    await addController(here, 'Here');
    await addController(elsewhere, 'Elsewhere');
    await addController(HOST_TENANT, 'Host');
    expect(await names(here)).toEqual([{ name: 'Here' }]);
    expect(await names('')).toEqual([]);
  });

  test('cannot write into another tenant', async () => {
    const intrusion = db.database.within(systemTenancy(here, 'test'), (tx) =>
      tx.query('insert into habeas.controllers (tenant_id) values (gen_random_uuid())'),
    );
    await expect(intrusion).rejects.toThrow(/row-level security/);
  });

  test('steps into another tenant and back, in one transaction', async () => {
    const seen = await db.database.within(systemTenancy(here, 'test'), async (tx) => {
      const there = await tx.inTenant(elsewhere, () => tx.query('select name from habeas.controllers'));
      return [there, await tx.query('select name from habeas.controllers')];
    });
    expect(seen).toEqual([[{ name: 'Elsewhere' }], [{ name: 'Here' }]]);
  });

  test('leaves no tenant and no role behind on the pooled connection', async () => {
    await names(here);
    const { rows } = await db.database.queueSql(
      `select current_user as who, current_setting('habeas.workspace', true) as tenant`,
    );
    expect(rows).toEqual([{ who: 'habeas_login', tenant: '' }]);
  });

  test('rolls everything back when the work throws', async () => {
    const failing = db.database.within(systemTenancy(here, 'test'), async (tx) => {
      await tx.query(`update habeas.controllers set name = 'Changed'`);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await names(here)).toEqual([{ name: 'Here' }]);
  });

  test('cannot reach habeas tables while it is the host', async () => {
    const crossing = db.database.within(systemTenancy(here, 'test'), (tx) =>
      tx.asHost((host) => host.query('select * from habeas.controllers')),
    );
    await expect(crossing).rejects.toThrow(/permission denied/);
  });

  test('as the login role itself, nothing can be read', async () => {
    await expect(db.database.queueSql('select * from habeas.requests')).rejects.toThrow(/permission denied/);
  });
});
