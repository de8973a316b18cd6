import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
