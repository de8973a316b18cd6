import { expect, test } from '@jest/globals';
import { type Place, type ResidueReport } from '../../src/deletion/residue/report.js';
import { assertNothingLeft } from '../../src/dsar/deletion/erasure-residue.js';

const place = (more: Partial<Place>): Place => ({
  schema: 'audit',
  table: 'rows',
  column: 'old',
  kind: 'mail',
  rows: 1,
  ...more,
});
const report = (residues: Place[]): ResidueReport => ({
  ...{ id: 'x', mentions: [], kept: [], unreadable: [], rowsSearched: 0 },
  residues,
});

test('a column in which a row holds a person’s mail and their key is named once', () => {
  const found = report([
    place({}),
    place({ kind: 'uuid' }),
    place({ column: 'new' }),
    place({ column: 'new', kind: 'uuid', rows: 3 }),
  ]);
  expect(() => {
    assertNothingLeft(found);
  }).toThrow('Something is left, or cannot be searched: audit.rows.old (1), audit.rows.new (3).');
});
