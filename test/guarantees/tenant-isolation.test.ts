import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { systemTenancy } from '../../src/database/tenancy.js';
import { type SqlRunner } from '../../src/database/unit-of-work.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Column, columnsOf, fillEveryTable, tables } from './every-table.js';

const ours = randomUUID();
const theirs = randomUUID();

/**
 * Invariant 8. Tenants cannot see each other: row-level security, FORCEd, under a role that owns nothing; a missing
 * tenant means zero rows. Work that spans tenants has its own narrow policies and roles.
 */
describe('tenants cannot see each other (invariant 8)', () => {
  let db: TestDatabase;
  let names: string[];
  let columns: Column[];
  beforeAll(async () => {
    db = await createDatabase('atelier_template');
    names = await tables(db);
    columns = await columnsOf(db);
    await fillEveryTable(db, [ours, theirs]);
  });
  afterAll(() => db.drop());

  const tenantColumn = (table: string) => (table === 'workspaces' ? 'id' : 'tenant_id');
  const inTenant = <T>(tenant: string, work: (tx: SqlRunner) => Promise<T>) =>
    db.database.within(systemTenancy(tenant, 'test'), work);

  test('every table says whose a row is, has row-level security FORCEd, a policy, and an owner that cannot log in', async () => {
    expect(names.length).toBeGreaterThan(15);
    const states = await db.behindTheScenes<{
      name: string;
      enabled: boolean;
      forced: boolean;
      owner: string;
    }>(
      `select relname as name, relrowsecurity as enabled, relforcerowsecurity as forced, relowner::regrole::text as owner
       from pg_class where relnamespace = 'habeas'::regnamespace and relkind in ('r', 'p', 'f', 'v', 'm')`,
    );
    expect(states.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const state of states)
      expect(state).toMatchObject({ enabled: true, forced: true, owner: 'habeas_owner' });
    for (const name of names) {
      const held = columns.find((column) => column.table === name && column.name === tenantColumn(name));
      expect({ name, type: held?.type, notNull: held?.notNull }).toEqual({
        name,
        type: 'uuid',
        notNull: true,
      });
      const policies = await db.behindTheScenes(
        `select from pg_policies where schemaname = 'habeas' and tablename = $1`,
        [name],
      );
      expect({ name, policies: policies.length > 0 }).toEqual({ name, policies: true });
    }
    expect(
      await db.behindTheScenes(`select rolname from pg_roles where rolname like 'habeas%' and rolname <> 'habeas_login'
        and (rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolinherit
             or (rolbypassrls and rolname <> 'habeas_host'))`),
    ).toEqual([]);
  });

  test('in a tenant every table shows that tenant’s rows alone, and in none it shows nothing', async () => {
    for (const name of names) {
      const seen = await inTenant(ours, (tx) =>
        tx.query<{ tenant: string }>(`select ${tenantColumn(name)} as tenant from habeas.${name}`),
      );
      expect({ name, seen }).toEqual({ name, seen: [{ tenant: ours }] });
      for (const nobody of ['', randomUUID()])
        expect({
          name,
          seen: await inTenant(nobody, (tx) => tx.query(`select from habeas.${name}`)),
        }).toEqual({ name, seen: [] });
    }
  });

  test('in a tenant nothing can be written, moved or removed that is another’s', async () => {
    for (const name of names) {
      const column = tenantColumn(name);
      const copied = columns.filter((c) => c.table === name).map((c) => c.name);
      const values = copied
        .map((c) => (c === column ? '$1' : c === 'id' ? 'gen_random_uuid()' : c))
        .join(', ');
      const forge = `insert into habeas.${name} (${copied.join(', ')}) select ${values} from habeas.${name}`;
      await expect(inTenant(ours, (tx) => tx.query(forge, [theirs]))).rejects.toThrow(/row-level security/);
      const may = await privileges('habeas_app', name);
      if (may.includes('UPDATE')) {
        await expect(
          inTenant(ours, (tx) => tx.query(`update habeas.${name} set ${column} = $1`, [theirs])),
        ).rejects.toThrow(/row-level security/);
        const touched = `update habeas.${name} set ${column} = ${column} where ${column} = $1 returning 1`;
        expect(await inTenant(ours, (tx) => tx.query(touched, [theirs]))).toEqual([]);
      }
      if (may.includes('DELETE'))
        expect(
          await inTenant(ours, (tx) =>
            tx.query(`delete from habeas.${name} where ${column} = $1 returning 1`, [theirs]),
          ),
        ).toEqual([]);
    }
  });

  const privileges = async (role: string, table: string) =>
    (
      await db.behindTheScenes<{ name: string }>(
        `select name from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as name
         where has_table_privilege($1, $2, name)`,
        [role, `habeas.${table}`],
      )
    ).map(({ name }) => name);

  test('the log can be added to, and by nobody changed or cut', async () => {
    for (const table of ['events', 'event_disclosures', 'pseudonyms']) {
      expect({ table, may: await privileges('habeas_app', table) }).toEqual({
        table,
        may: ['SELECT', 'INSERT'],
      });
      const policies = await db.behindTheScenes<{ cmd: string; roles: string }>(
        `select cmd, roles::text from pg_policies where schemaname = 'habeas' and tablename = $1 and roles <> '{habeas_app}'`,
        [table],
      );
      // Erasing a person cuts mapping and disclosures, through a function of the owner's; the event itself goes only
      // when the log's retention has ended, through another one.
      const allowed = ['SELECT', 'INSERT', 'DELETE'];
      expect(
        policies.filter(
          ({ cmd, roles }) => !allowed.includes(cmd) || (cmd === 'DELETE' && roles !== '{habeas_owner}'),
        ),
      ).toEqual([]);
    }
  });

  describe.each(['habeas_self', 'habeas_desk', 'habeas_sweep'] as const)(
    '%s, which spans tenants,',
    (role) => {
      const read = <T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> =>
        role === 'habeas_desk'
          ? db.database.asDesk(work)
          : role === 'habeas_sweep'
            ? db.database.asSweep(work)
            : db.database.asSelf({ kind: 'nobody', key: 'nobody' }, work);

      test('may only read, and only columns that were named for it', async () => {
        const readable: string[] = [];
        for (const name of names) {
          expect({ name, may: (await privileges(role, name)).filter((verb) => verb !== 'SELECT') }).toEqual({
            name,
            may: [],
          });
          for (const column of columns.filter(({ table }) => table === name)) {
            const [{ granted } = { granted: true }] = await db.behindTheScenes<{ granted: boolean }>(
              `select has_column_privilege($1, $2, $3, 'SELECT') as granted`,
              [role, `habeas.${name}`, column.name],
            );
            if (granted) readable.push(`${name}.${column.name}`);
            const attempt = read((tx) => tx.query(`select ${column.name} from habeas.${name}`));
            if (!granted) await expect(attempt).rejects.toThrow(/permission denied/);
            else if (role === 'habeas_self')
              expect({ column, rows: await attempt }).toEqual({ column, rows: [] });
            else await attempt;
          }
        }
        expect(readable.length).toBeGreaterThan(0);
        // One's own disclosures and pseudonyms are one's own; nobody else gets anything that can tell of a person.
        if (role !== 'habeas_self')
          expect(
            readable.filter((name) =>
              /sealed|hash|digest|mail\b|salt|value|subject|recipient(?!_tasks)|params|response|metadata|context\b|language|filed_by|created_by/.test(
                name,
              ),
            ),
          ).toEqual([]);
        expect(
          readable.filter((name) => /sealed|hash|digest|recipient(?!_tasks)|params|response/.test(name)),
        ).toEqual([]);
      });
    },
  );

  test('habeas_residue, which searches every tenant, reads whatever could hold a word, no bytes, and only reads', async () => {
    const read = <T>(sql: string) =>
      db.database.within(systemTenancy('', 'test'), (tx) => tx.asResidueSearch((own) => own.query<T>(sql)));
    for (const name of names) {
      const may = (await privileges('habeas_residue', name)).filter((verb) => verb !== 'SELECT');
      expect({ name, may }).toEqual({ name, may: [] });
      for (const column of columns.filter(({ table }) => table === name)) {
        const attempt = read<{ n: number }>(`select count(${column.name})::int as n from habeas.${name}`);
        if (/^bytea/.test(column.type)) await expect(attempt).rejects.toThrow(/permission denied/);
        else expect({ column, read: await attempt }).toEqual({ column, read: [{ n: 2 }] });
      }
      for (const change of [
        `update habeas.${name} set ${tenantColumn(name)} = null`,
        `delete from habeas.${name}`,
      ])
        await expect(read(change)).rejects.toThrow(/permission denied/);
    }
    await expect(read('select from atelier.users')).rejects.toThrow(/permission denied/);
  });

  test('a person sees, whatever the tenant, what is theirs and nothing else', async () => {
    const self = { kind: 'user', key: 'self-test' };
    await db.behindTheScenes(
      `update habeas.request_subjects set kind = 'user', key = 'self-test' where tenant_id = $1`,
      [ours],
    );
    await db.behindTheScenes(
      `update habeas.requests set id = (select request_id from habeas.request_subjects where tenant_id = $1) where tenant_id = $1`,
      [ours],
    );
    const seen = await db.database.asSelf(self, (tx) => tx.query('select tenant_id from habeas.requests'));
    expect(seen).toEqual([{ tenant_id: ours }]);
    expect(
      await db.database.asSelf({ kind: 'customer', key: 'self-test' }, (tx) =>
        tx.query('select id from habeas.requests'),
      ),
    ).toEqual([]);
  });
});

/**
 * Invariant 9. Host data is read whole or not at all; the service logs in as a role that owns nothing and inherits
 * nothing. No statement touches both host tables and Habeas's own.
 */
describe('every role reaches its own side only (invariant 9)', () => {
  let db: TestDatabase;
  let login: pg.Client;
  beforeAll(async () => {
    db = await createDatabase('atelier_template');
    login = new pg.Client({ connectionString: db.url });
    await login.connect();
  });
  afterAll(async () => {
    await login.end();
    await db.drop();
  });

  test('the service’s login by itself reads nothing of anybody, owns nothing and inherits nothing', async () => {
    for (const name of [
      ...(await tables(db)).map((table) => `habeas.${table}`),
      'atelier.users',
      'atelier.messages',
      'habeas_migrations.applied',
    ])
      await expect(login.query(`select from ${name}`)).rejects.toThrow(/permission denied/);
    const [role] = await db.behindTheScenes(
      `select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles where rolname = 'habeas_login'`,
    );
    expect(new Set(Object.values(role ?? {}))).toEqual(new Set([false]));
    expect(
      await db.behindTheScenes(`select relname from pg_class where relowner = 'habeas_login'::regrole`),
    ).toEqual([]);
    await expect(login.query('create table habeas.mine (x int)')).rejects.toThrow(/permission denied/);
    await expect(login.query('set role habeas_owner')).rejects.toThrow(/permission denied/);
  });

  test('the role for host tables cannot reach Habeas’s own, and the others cannot reach the host’s', async () => {
    for (const name of await tables(db))
      await expect(db.database.asHost((host) => host.query(`select from habeas.${name}`))).rejects.toThrow(
        /permission denied/,
      );
    const reads = [
      (sql: string) => db.database.within(systemTenancy(ours, 'test'), (tx) => tx.query(sql)),
      (sql: string) => db.database.asSelf({ kind: 'user', key: 'x' }, (tx) => tx.query(sql)),
      (sql: string) => db.database.asDesk((tx) => tx.query(sql)),
      (sql: string) => db.database.asSweep((tx) => tx.query(sql)),
    ];
    for (const read of reads)
      for (const table of ['users', 'messages', 'customers'])
        await expect(read(`select from atelier.${table}`)).rejects.toThrow(/permission denied/);
    await expect(
      db.database.asHost((host) => host.query('select id from atelier.users limit 1')),
    ).resolves.toHaveLength(1);
  });

  test('a role taken on for one transaction is gone with it', async () => {
    await db.database.asHost((host) => host.query('select 1'));
    const { rows } = await db.database.queueSql(
      `select current_user::text as role, nullif(current_setting('habeas.workspace', true), '') as tenant`,
    );
    expect(rows).toEqual([{ role: 'habeas_login', tenant: null }]);
  });

  test('functions that run as their owner fix where they look, belong to a role that FORCE binds, and are granted to nobody', async () => {
    const functions = await db.behindTheScenes<{
      name: string;
      definer: boolean;
      config: string[] | null;
      owner: string;
      volatility: string;
      open: boolean;
    }>(
      `select proname as name, prosecdef as definer, proconfig as config, proowner::regrole::text as owner, provolatile as volatility,
              exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0) as open
       from pg_proc where pronamespace = 'habeas'::regnamespace`,
    );
    const definers = functions.filter(({ definer }) => definer);
    expect(definers.length).toBeGreaterThan(0);
    for (const { name, config, owner } of definers) {
      expect({ name, owner }).toEqual({ name, owner: 'habeas_owner' });
      expect({ name, path: config?.find((entry) => entry.startsWith('search_path=')) }).toEqual({
        name,
        path: 'search_path=pg_catalog, pg_temp',
      });
      expect({ name, config }).toEqual({ name, config: expect.arrayContaining(['row_security=on']) });
    }
    // What policies call is everybody's: it reads settings of the caller's own, as the caller, and changes nothing.
    const open = functions.filter((one) => one.open);
    expect(open.filter(({ definer, volatility }) => definer || volatility === 'v')).toEqual([]);
    expect(open.map(({ name }) => name)).toContain('workspace_id');
  });
});
