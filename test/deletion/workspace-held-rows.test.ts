import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { inPurges } from '../../src/datamap/purge-map.js';
import { issueCertificate } from '../../src/deletion/certificate/certificate.js';
import { ErasurePlans } from '../../src/deletion/erasure-plan.js';
import { type ErasureJob, type StepOutcome } from '../../src/deletion/erasure.js';
import { sharedApart } from '../../src/deletion/hindrance/shared-rows.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { WorkspaceMap } from '../../src/deletion/workspace-map.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { vectorFacts, vectorKey } from './certificate-facts.js';
import { putText, Situation } from './eraser-situation.js';
import { collection, invent, type Invented } from './invented-host.js';

const inShop = { subject: { person: 'created_by' }, workspace: 'shop', controller: 'workspace' };
const law = { rule: 'keep', ground: 'Tax law', until: 'Ten years.' };

let host: Invented;
let home: string;
let situation: Situation;
beforeAll(async () => {
  host = await invent(
    `create schema h;
     create table h.shop (id int primary key, name text);
     create table h.person (id int primary key, mail text);
     create table h.maker (id int primary key, shop int not null, name text, created_by int references h.person on delete set null);
     create table h.product (id int primary key, shop int not null, title text, image text,
       created_by int references h.person on delete set null,
       maker int not null references h.maker, part_of int references h.product);
     create table h.item (id int primary key, shop int not null, paid boolean not null, product int not null references h.product on delete restrict);
     create table h.review (id int primary key, shop int not null, product int not null references h.product,
       created_by int references h.person)`,
    {
      subjects: {
        person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
      },
      workspaces: { table: 'shop', key: 'id' },
      collections: {
        people: collection('person', 'id mail', {
          subject: { person: 'id' },
          erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
        }),
        shops: collection('shop', 'id name', {
          ...{ subject: 'none', workspace: 'id', controller: 'workspace' },
        }),
        makers: collection('maker', 'id shop name created_by', {
          ...inShop,
          erasure: { rule: 'pseudonymise', set: { name: 'Somebody', created_by: null } },
        }),
        products: collection('product', 'id shop title image created_by maker part_of', {
          ...inShop,
          files: { bucket: { constant: 'images' }, path: 'image' },
          erasure: { rule: 'clear', columns: ['created_by', 'image'] },
        }),
        sales: collection('item', 'id shop paid product', {
          ...{ subject: 'none', workspace: 'shop', controller: 'workspace', where: 't.paid', erasure: law },
        }),
        baskets: collection('item', 'id shop paid product', {
          ...{ subject: 'none', workspace: 'shop', controller: 'workspace', where: 'not t.paid' },
        }),
        reviews: collection('review', 'id shop product created_by', inShop),
      },
    },
  );
  home = await mkdtemp(join(tmpdir(), 'held-'));
  const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(host.host.database, host.host.map, stores);
});
afterAll(async () => {
  await host.drop();
  await rm(home, { recursive: true, force: true });
});

// Shop 1: product 1 is sold, 2 is sold and is nobody's, 3 lies in a basket, 4 is nowhere and reviewed, 6 is sold and a part
// of 5, which is a part of 7. Shop 2 has sold nothing, shop 3 is another one's.
beforeEach(async () => {
  for (let n = 1; n <= 9; n += 1) await putText(situation.stores, 'images', `image-${n}`);
  await host.host.database.behindTheScenes(`
    truncate h.shop, h.person, h.maker, h.product, h.item, h.review;
    insert into h.shop values (1, 'one'), (2, 'two'), (3, 'three');
    insert into h.person values (1, 'a@x.example');
    insert into h.maker select n, case n when 9 then 3 when 8 then 2 else 1 end, 'maker ' || n, 1 from generate_series(1, 9) as n;
    insert into h.product select n, case n when 9 then 3 when 8 then 2 else 1 end, 'title ' || n,
      case n when 2 then null else 'image-' || n end, case n when 2 then null else 1 end, n, null from generate_series(1, 9) as n;
    update h.product set part_of = 5 where id = 6; update h.product set part_of = 7 where id = 5;
    insert into h.item values (1, 1, true, 1), (2, 1, true, 2), (3, 1, false, 3), (4, 1, false, 1), (6, 1, true, 6), (9, 3, true, 9);
    insert into h.review values (1, 1, 4, 1), (2, 1, 1, 1)`);
});

const products = () =>
  host.host.database.behindTheScenes<{ id: number; by: number | null; image: string | null }>(
    'select id, created_by as by, image from h.product order by id',
  );
const idsOf = async (table: string) =>
  (await host.host.database.behindTheScenes<{ id: number }>(`select id from h.${table} order by id`)).map(
    ({ id }) => id,
  );
const images = async () => {
  const found: number[] = [];
  for (let n = 1; n <= 9; n += 1)
    if (await situation.stores.bucket('images').stat(`image-${n}`)) found.push(n);
  return found;
};

function purgeOf(shop: string) {
  const { db, host: own, erasures, files, clock } = situation;
  const job: ErasureJob = situation.job([], {
    ...{ scope: 'workspace', workspaces: [shop], pseudonyms: { [`workspace:${shop}`]: randomUUID() } },
  });
  const eraser = new WorkspaceEraser({
    ...{ database: db.database, host: own, erasures, files },
    tombstoneDue: () => clock.now(),
  });
  const within = <T>(work: Parameters<typeof db.database.within<T>>[1]) =>
    db.database.within(systemTenancy(job.tenant, 'test'), work);
  return {
    plan: async () => {
      const plans = new ErasurePlans(new WorkspaceMap(own));
      return (await within((tx) => plans.plan(tx, job))).steps.flatMap(sharedApart);
    },
    begin: () => within((tx) => eraser.begin(tx, job)),
    run: async () => {
      const outcomes = await eraser.run(job, {});
      await eraser.assertGone(job);
      return outcomes;
    },
  };
}

/** Of one collection, as the plan and the certificate say it. */
const told = (
  entries: readonly {
    collection: string;
    rule: string;
    rows: number;
    files: number;
    ground?: string | undefined;
  }[],
  name: string,
) =>
  entries
    .filter((entry) => entry.collection === name)
    .map(({ rule, rows, files, ground }) => [rule, rows, files, ...(ground === undefined ? [] : [ground])]);

const certifiedOf = (outcomes: StepOutcome[]) =>
  issueCertificate(vectorKey, { ...vectorFacts, outcomes }).collections;

const REFERRED = 'Rows that are kept refer to them';

describe('a purge, where a law keeps rows that refer to some of a collection', () => {
  test('deletes the others with their files, and clears those', async () => {
    expect(host.errors).toEqual([]);
    const purge = purgeOf('1');
    const planned = await purge.plan();
    expect(told(planned, 'products')).toEqual([
      ['delete', 2, 2],
      ['clear', 4, 4, REFERRED],
      ['keep', 1, 0, REFERRED],
    ]);
    await purge.begin();
    const outcomes = await purge.run();
    expect(await products()).toEqual([
      { id: 1, by: null, image: null },
      { id: 2, by: null, image: null },
      { id: 5, by: null, image: null },
      { id: 6, by: null, image: null },
      { id: 7, by: null, image: null },
      { id: 8, by: 1, image: 'image-8' },
      { id: 9, by: 1, image: 'image-9' },
    ]);
    // The first picture of a product without one is nobody's.
    expect(await images()).toEqual([2, 8, 9]);
    expect(await idsOf('maker')).toEqual([1, 2, 5, 6, 7, 8, 9]);
    expect(await idsOf('item')).toEqual([1, 2, 6, 9]);
    expect(await idsOf('review')).toEqual([]);
    const certified = certifiedOf(outcomes);
    expect(told(certified, 'products')).toEqual(told(planned, 'products'));
    expect(told(certified, 'makers')).toEqual([
      ['delete', 2, 0],
      ['pseudonymise', 5, 0, REFERRED],
    ]);
  });

  test('deletes everything where nothing of it is referred to', async () => {
    const purge = purgeOf('2');
    await purge.begin();
    const certified = certifiedOf(await purge.run());
    expect((await products()).map(({ id }) => id)).not.toContain(8);
    expect(await images()).not.toContain(8);
    expect(told(certified, 'products')).toEqual([['delete', 1, 1]]);
  });

  test('changes nothing the second time, and finds what is referred to no more', async () => {
    const purge = purgeOf('1');
    await purge.begin();
    const first = await purge.run();
    const rows = await situation.rows('h');
    expect(await purge.run()).toEqual(first);
    expect(await situation.rows('h')).toEqual(rows);
    await host.host.database.behindTheScenes('delete from h.item where id = 6');
    await expect(purge.run()).rejects.toMatchObject({ code: 'erasure.rows_came_back' });
    await purge.run();
    expect((await products()).map(({ id }) => id)).toEqual([1, 2, 8, 9]);
  });

  test('walks tables that hold on to each other in a circle as a whole', async () => {
    const { map, catalogue } = situation.host.current();
    expect(Object.keys(inPurges(map, catalogue).collections)).toContain('products (referred to)');
    await host.host.database.behindTheScenes('alter table h.maker add best int references h.product');
    const owner = await Situation.of(host.host.database, map, situation.stores);
    await host.host.database.behindTheScenes('alter table h.maker drop best');
    const circle = inPurges(map, owner.host.current().catalogue).collections;
    expect(circle.products?.erasure.rule).toBe('clear');
    expect(Object.keys(circle)).not.toContain('products (referred to)');
  });
});
