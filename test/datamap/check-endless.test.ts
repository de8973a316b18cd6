import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { type Invention, Inventions, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const law = { erasure: { rule: 'keep', ground: 'a law', until: 'its time is over' } };
const years = (keep: string | null) => ({ after: 'at', atLeast: 'P1Y', keep, ground: 'a law' });
const orders = (
  onDelete: string,
  invoices: Record<string, unknown>,
  more: Record<string, unknown> = { ...law, retention: years('P1Y') },
): Invention => ({
  sql: `create table h.person (${PERSON});
    create table h.ordered (id int primary key, by int, at date);
    create table h.invoice (id int primary key, by int, "order" int constraint of_order references h.ordered ${onDelete}, at date)`,
  more: {
    orders: collection('ordered', 'id by at', { subject: { person: 'by' }, ...more }),
    invoices: collection('invoice', 'id by order at', { subject: { person: 'by' }, ...invoices }),
  },
});
// What erasure makes of such a key is another matter (check-hanging.test.ts).
const told = async (invention: Invention) =>
  (await inventions.told(invention)).filter((line) => line.includes('retention.'));

describe('a time for rows that something kept without one refers to', () => {
  test('never comes, which is a warning', async () => {
    expect(await told(orders('', law))).toEqual([
      expect.stringMatching(
        /^warning retention\.never_ends h\.ordered: orders: Rows that invoices refers to by of_order \(h\.invoice\) never go/,
      ),
    ]);
  });

  test('comes where the law names a time, the key lets go, the child goes along, or no time is set', async () => {
    expect(await told(orders('', { ...law, retention: years('P10Y') }))).toEqual([]);
    expect(await told(orders('on delete set null', law))).toEqual([]);
    expect(await told(orders('', {}))).toEqual([]);
    expect(await told(orders('', law, { ...law, retention: years(null) }))).toEqual([]);
  });
});
