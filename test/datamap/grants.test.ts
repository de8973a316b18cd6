import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { collection } from '../deletion/invented-host.js';
import { type ForeignHost, hostOf } from './host.js';

const schema = `create schema h;
  create table h.person (id int primary key, mail text);
  create table h.album (id int primary key, person int references h.person);
  create table h.photo (id int primary key, album int references h.album on delete cascade, person int references h.person);
  create schema apart;
  create table apart.loan (id int primary key, album int references h.album, friend int references h.person, remark text);
  create table apart."Print" ("Photo" int references h.photo on delete restrict, paper text);
  create table apart.visit (album int references h.album on delete set null, words text);
  create table apart.frame (photo int references h.photo on delete cascade, words text);
  create table apart.shop (person int references h.person, words text);`;

const map = {
  ...{ version: 1, schema: 'h', workspaces: 'none', controller: { name: 'H' } },
  subjects: {
    person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
  },
  exempt: ['loan', 'visit', 'frame', 'shop'].map((name) => ({
    table: `apart.${name}`,
    reason: 'none of it',
  })),
  collections: {
    people: collection('person', 'id mail', {
      subject: { person: 'id' },
      erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
    }),
    albums: collection('album', 'id person', { subject: { person: 'person' } }),
    photos: collection('photo', 'id album person', { subject: { person: 'person' } }),
  },
};

describe('of tables that the map exempts or does not know', () => {
  let host: ForeignHost;
  beforeAll(async () => {
    host = await hostOf(schema, JSON.stringify(map), 'invented.yaml', false);
  });
  afterAll(() => host.drop());

  const grant = async (options: { residue?: boolean } = {}) => {
    const catalogue = await host.asOwner((db) => readCatalogue(db));
    await host.database.behindTheScenes(grantsFor(host.map, catalogue, options));
  };
  /** What habeas_host may read of them, column by column. */
  const readable = async () => {
    const rows = await host.database.behindTheScenes<{ column: string }>(
      `select c.relname || '.' || a.attname as column
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'apart'::regnamespace and c.relkind = 'r'
          and has_schema_privilege('habeas_host', c.relnamespace, 'usage')
          and has_column_privilege('habeas_host', c.oid, a.attnum, 'select') order by 1`,
    );
    return rows.map(({ column }) => column);
  };

  test('the keys by which their rows would hold back what erasures delete are granted, and no other column', async () => {
    await grant();
    expect(await readable()).toEqual(['Print.Photo', 'loan.album', 'loan.friend']);
    await grant();
    expect(await readable()).toEqual(['Print.Photo', 'loan.album', 'loan.friend']);
  });

  test('the search for what is left reads what is not exempt whole, and of the rest no more than before', async () => {
    await grant({ residue: true });
    expect(await readable()).toEqual(['Print.Photo', 'Print.paper', 'loan.album', 'loan.friend']);
    await grant();
    expect(await readable()).toEqual(['Print.Photo', 'loan.album', 'loan.friend']);
  });

  test('a key that is no more is taken back', async () => {
    await host.database.behindTheScenes(
      'alter table apart.loan drop constraint loan_album_fkey; alter table apart."Print" drop constraint "Print_Photo_fkey"',
    );
    await grant();
    expect(await readable()).toEqual([]);
  });
});

describe('run by an owner of the tables who may do nothing else', () => {
  let host: ForeignHost;
  let client: pg.Client;
  let noticed: string[];
  beforeAll(async () => {
    host = await hostOf(schema, JSON.stringify(map), 'invented.yaml', false);
    client = new pg.Client({ connectionString: host.database.ownerUrl });
    client.on('notice', ({ message }) => noticed.push(message ?? ''));
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await host.drop();
  });

  const granted = `select count(*)::int as tables from information_schema.tables
    where table_schema in ('h', 'apart') and has_table_privilege('habeas_host',
      format('%I.%I', table_schema, table_name)::regclass, 'select')`;

  /** Rolled back: roles are the whole server's, and other tests are at work on it. */
  const asPlainOwner = async <T>(arrange: string, work: (grants: string) => Promise<T>): Promise<T> => {
    noticed = [];
    const grants = grantsFor(host.map, await host.asOwner((db) => readCatalogue(db)), { residue: true });
    await client.query('begin');
    try {
      await client.query(`create role plain_owner; ${arrange};
        alter schema h owner to plain_owner; alter schema apart owner to plain_owner;
        do $$ declare name text; begin
          for name in select format('%I.%I', table_schema, table_name) from information_schema.tables
                       where table_schema in ('h', 'apart') loop
            execute 'alter table ' || name || ' owner to plain_owner';
          end loop;
        end $$;
        set local role plain_owner`);
      return await work(grants);
    } finally {
      await client.query('rollback');
    }
  };

  test('all goes through, and what a superuser has to run is told as it is to be run', async () => {
    const tables = await asPlainOwner('alter role habeas_host nobypassrls', async (grants) => {
      await client.query(grants);
      return (await client.query(granted)).rows as unknown;
    });
    // The four of the schema apart are exempt; what is not, is searched.
    expect(tables).toEqual([{ tables: 4 }]);
    expect(noticed).toEqual([expect.stringMatching(/ a superuser runs: alter role habeas_host bypassrls;$/)]);
  });

  test('nothing is told where the role sees past policies already', async () => {
    await asPlainOwner('', (grants) => client.query(grants));
    expect(noticed).toEqual([]);
  });

  test('a role that is not there yet is named with what makes it', async () => {
    const refused = asPlainOwner('alter role habeas_host rename to habeas_host_elsewhere', (grants) =>
      client.query(grants),
    );
    await expect(refused).rejects.toMatchObject({
      message: 'The role habeas_host does not exist, and you may not create it.',
      hint: expect.stringContaining('npx habeas migrate') as unknown,
    });
  });
});
