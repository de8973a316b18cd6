import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { Inventions, type Invention, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const shopOf = (shops: Record<string, unknown>): Invention => ({
  sql: `create table h.person (${PERSON});
    create table h.shop (id int primary key, name text);
    create table h.product (id int primary key, shop_id int not null references h.shop, created_by int);
    create table h.item (id int primary key, shop_id int not null, product_id int not null references h.product on delete restrict)`,
  workspaces: { table: 'shop', key: 'id' },
  more: {
    shops: collection('shop', 'id name', {
      ...{ subject: 'none', workspace: 'id', controller: 'workspace', ...shops },
    }),
    products: collection('product', 'id shop_id created_by', {
      ...{ subject: { person: 'created_by' }, workspace: 'shop_id', controller: 'workspace' },
      erasure: { rule: 'clear', columns: ['created_by'] },
    }),
    items: collection('item', 'id shop_id product_id', {
      ...{ subject: 'none', workspace: 'shop_id', controller: 'workspace' },
      erasure: { rule: 'keep', ground: 'Tax law', until: 'Ten years.' },
    }),
  },
});

const errors = async (invention: Invention) =>
  (await inventions.told(invention)).filter((line) => line.startsWith('error'));

describe('what a law keeps, and what it refers to', () => {
  test('is no trouble where each says how it may stay', async () => {
    const may = { erasure: { rule: 'clear', columns: ['name'] } };
    expect(await errors(shopOf(may))).toEqual([]);
  });

  test('is an error of purges, once, where a workspace’s own row may not stay that no person’s erasure takes', async () => {
    const [one, ...more] = await errors(shopOf({}));
    expect(one).toMatch(
      /^error erasure\.foreign_key h\.product\.shop_id: When a workspace is purged: product_shop_id_fkey refers to h\.shop/,
    );
    expect(more).toEqual([]);
  });

  test('is an error where what could go would be stopped by rows of a table that nobody erases', async () => {
    const invention = shopOf({ erasure: { rule: 'clear', columns: ['name'] } });
    const sql = `${invention.sql}; create table h.shelf (id int primary key, product int not null references h.product)`;
    const [one, ...more] = await errors({ ...invention, sql, exempt: ['shelf'] });
    expect(one).toMatch(/^error erasure\.foreign_key h\.shelf\.product: When a workspace is purged: /);
    expect(more).toEqual([]);
  });
});
