import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type SqlRunner, type UnitOfWork } from '../../src/database/unit-of-work.js';
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

  describe('takes on a role when a statement comes that needs it', () => {
    const inHere = <T>(work: (tx: UnitOfWork) => Promise<T>): Promise<T> =>
      db.database.within(systemTenancy(here, 'test'), work);
    const worn = async (tx: SqlRunner) =>
      tx.query(
        `select current_user as role, current_setting('habeas.workspace') as tenant, current_setting('row_security') as rls`,
      );
    const app = (tenant: string) => [{ role: 'habeas_app', tenant, rls: 'on' }];
    const host = [{ role: 'habeas_host', tenant: '', rls: 'off' }];
    const fails = (tx: SqlRunner): Promise<unknown> => tx.query('select nope');
    const livedWith = () => undefined;
    /** How many statements are sent, BEGIN and COMMIT with them. */
    const sentBy = async (work: (tx: UnitOfWork) => Promise<unknown>): Promise<number> => {
      const sent = jest.spyOn(pg.Client.prototype, 'query');
      try {
        await inHere(work);
        return sent.mock.calls.length;
      } finally {
        sent.mockRestore();
      }
    };

    test('and sends nothing for a scope in which nothing is asked', async () => {
      const nothing = await sentBy(() => Promise.resolve());
      const scopes = await sentBy(async (tx) => {
        await tx.asHost(() => tx.inTenant(elsewhere, () => Promise.resolve()));
        await tx.asResidueSearch(() => Promise.resolve());
      });
      expect(scopes).toBe(nothing);
      const [once, thrice] = [
        await sentBy((tx) => tx.inTenant(here, () => tx.query('select 1'))),
        await sentBy((tx) =>
          tx.inTenant(here, async () => {
            await tx.query('select 1');
            await tx.inTenant(here, () => tx.query('select 1'));
          }),
        ),
      ];
      expect(thrice).toBe(once + 1);
    });

    test('however scopes lie in each other', async () => {
      const seen = await inHere(async (tx) => [
        await tx.asHost(async () => [await tx.inTenant(elsewhere, () => worn(tx)), await worn(tx)]),
        await tx.inTenant(elsewhere, async () => [await tx.asHost(() => worn(tx)), await worn(tx)]),
        await worn(tx),
      ]);
      expect(seen).toEqual([[app(elsewhere), host], [host, app(elsewhere)], app(here)]);
    });

    test('also after a failure that it lives with, whatever was taken on before', async () => {
      const seen = await inHere(async (tx) => {
        await tx.attempt(() => tx.inTenant(elsewhere, () => fails(tx)), livedWith);
        const after = await worn(tx);
        const inside = await tx.asHost(async () => {
          await tx.attempt(() => tx.inTenant(elsewhere, () => fails(tx)), livedWith);
          return worn(tx);
        });
        await tx.attempt(async () => {
          await tx.asHost((db) => db.query('select 1'));
          throw new Error('later');
        }, livedWith);
        return [after, inside, await tx.asHost(worn), await worn(tx)];
      });
      expect(seen).toEqual([app(here), host, host, app(here)]);
    });

    test('and goes back to the beginning of an attempt, not of one within it that failed before', async () => {
      await db.behindTheScenes(
        'create table public.notes (n int); grant all on public.notes to habeas_app, habeas_host',
      );
      const seen = await inHere(async (tx) => {
        await tx.attempt(async () => {
          await tx.query('insert into public.notes values (1)');
          await tx.inTenant(elsewhere, () => tx.attempt(() => fails(tx), livedWith));
          throw new Error('all of it');
        }, livedWith);
        return [await worn(tx), await tx.query('select * from public.notes')];
      });
      expect(seen).toEqual([app(here), []]);
    });

    test('and is back in its first one for what is deferred to COMMIT', async () => {
      await db.behindTheScenes(`
        create table public.deferred (n int); grant all on public.deferred to habeas_app;
        create table public.ran (tenant text); grant all on public.ran to habeas_app;
        create function public.note() returns trigger language plpgsql as $$
          begin insert into public.ran values (current_setting('habeas.workspace')); return null; end $$;
        create constraint trigger noted after insert on public.deferred deferrable initially deferred
          for each row execute function public.note()`);
      await inHere((tx) => tx.inTenant(elsewhere, () => tx.query('insert into public.deferred values (1)')));
      expect(await db.behindTheScenes('select tenant from public.ran')).toEqual([{ tenant: here }]);
    });

    test('for COPY as well', async () => {
      const copied = async (tx: UnitOfWork): Promise<string> => {
        const parts: Buffer[] = [];
        for await (const part of await tx.copyOut('copy (select current_user) to stdout'))
          parts.push(part as Buffer);
        return Buffer.concat(parts).toString().trim();
      };
      const seen = await inHere(async (tx) => [await tx.asHost(() => copied(tx)), await copied(tx)]);
      expect(seen).toEqual(['habeas_host', 'habeas_app']);
    });

    test('and refuses one statement beside another, which would run in its role', async () => {
      let late: Promise<unknown> | undefined;
      const beside = inHere(async (tx) => {
        await worn(tx);
        await tx.inTenant(elsewhere, () => {
          late = worn(tx).catch(() => 'gone');
          return Promise.resolve();
        });
        return worn(tx);
      });
      await expect(beside).rejects.toThrow('one statement at a time');
      await late;
    });

    test.each(['its first role', 'another'])(
      'and does not commit in silence what failed in %s and was passed over',
      async (where) => {
        const silent = inHere((tx) =>
          (where === 'another' ? tx.asHost(fails) : fails(tx)).catch(() => 'fine'),
        );
        await expect(silent).rejects.toThrow('column "nope" does not exist');
      },
    );
  });
});
