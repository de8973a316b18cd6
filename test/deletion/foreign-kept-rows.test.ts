import { afterEach, describe, expect, test } from '@jest/globals';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { ResidueSearch } from '../../src/deletion/residue/search.js';
import { collection, invent, type Invented } from './invented-host.js';

let host: Invented;
afterEach(() => host.drop());
const sql = <Row>(query: string) => host.host.database.behindTheScenes<Row>(query);

describe('rows that another collection of the same table keeps are no residue', () => {
  const numbered = {
    person: { table: 'client', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
  };
  const clients = `create schema h;
    create table h.client (id int primary key, mail text, name text);
    insert into h.client values (1, 'anna@x.example', 'Anna Berg'), (2, 'ben@x.example', 'Ben Tal');
    create table h.cart (id int primary key, client int, mail text, state text, remark text);
    insert into h.cart values (1, 1, 'anna@x.example', 'paid', 'for Anna Berg'), (2, 1, null, 'open', 'x'), (3, 2, null, 'paid', 'x');`;
  const law = { erasure: { rule: 'keep', ground: 'a law', until: '2035' } };
  const map = (more: Record<string, unknown>) => ({
    subjects: numbered,
    collections: {
      clients: collection('client', 'id mail name', {
        subject: { person: 'id' },
        erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail', name: 'gone' } },
      }),
      carts: collection('cart', 'id client mail state remark', { subject: { person: 'client' } }),
      carts_law: collection('cart', 'id client mail state remark', { ...law, ...more }),
    },
  });
  const searched = async () => {
    const { database } = host.host;
    const owner = {
      query: (query: string, values?: readonly unknown[]) =>
        database.behindTheScenes(query, values && [...values]),
    };
    await sql(grantsFor(host.host.map, await readCatalogue(owner as never), { residue: true }));
    const subjects = [await host.situation.person('person', '1')];
    const job = host.situation.job(subjects);
    const steps = await host.situation.erase(job);
    const [report] = await new ResidueSearch(database.database, host.situation.host).search([
      { id: job.id, subjects, names: ['Anna Berg'] },
    ]);
    return { steps: Object.fromEntries(steps.map((s) => [s.collection, s.done])), report };
  };

  test.each([
    ['by the same path', { subject: { person: 'client' } }, { carts_law: 2, clients: 1 }, [1, 2, 3]],
    [
      'of which it takes a part',
      { subject: { person: 'client' }, where: `t.state = 'paid'` },
      { carts: 1, carts_law: 1, clients: 1 },
      [1, 3],
    ],
    [
      'by another path, of an identifier',
      { subject: { person: { column: 'mail', as: 'mail' } } },
      { carts: 1, carts_law: 1, clients: 1 },
      [1, 3],
    ],
  ])('%s', async (_, more, done, left) => {
    host = await invent(clients, map(more));
    expect(host.errors).toEqual([]);
    const { steps, report } = await searched();
    expect(steps).toEqual(done);
    expect((await sql<{ id: number }>('select id from h.cart order by 1')).map(({ id }) => id)).toEqual(left);
    expect(report?.residues).toEqual([]);
    expect(report?.kept.map(({ column, kind }) => `${column} ${kind}`)).toContain('remark name');
  });

  test('and one that none of them keeps still is', async () => {
    host = await invent(clients, map({ subject: { person: 'client' }, where: `t.state = 'paid'` }));
    const run = host.situation.eraser.run.bind(host.situation.eraser);
    host.situation.eraser.run = async (...all) => {
      const outcome = await run(...all);
      await sql(`insert into h.cart values (4, 1, null, 'open', 'late')`);
      return outcome;
    };
    const { report } = await searched();
    expect(report?.residues).toEqual([
      { schema: 'h', table: 'cart', column: 'client', kind: 'key', rows: 1 },
    ]);
  });
});
