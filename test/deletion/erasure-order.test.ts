import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkErasure } from '../../src/datamap/check-erasure.js';
import { erasureOrder } from '../../src/datamap/erasure-order.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { Pace } from '../../src/deletion/step/pace.js';
import { type ForeignHost, foreignHost } from '../datamap/host.js';

let host: ForeignHost;
beforeAll(async () => {
  host = await foreignHost('../../deletion/foreign/circles');
});
afterAll(() => host.drop());

const edited = (from: string, to: string) => {
  if (!host.yaml.includes(from)) throw new Error(`the map does not say ${from}`);
  return parseDataMap(host.yaml.replace(from, to), { file: 'circles.yaml' });
};

describe('the order of an erasure', () => {
  test('takes children before their parents, circles in one, and the people themselves last', () => {
    const { stages, gathered } = erasureOrder(host.catalogue, Object.values(host.map.collections));
    const names = stages.map(({ collections }) => collections.map(({ name }) => name).join('+'));
    expect(names).toContain('teams+seats');
    expect(names.indexOf('papers')).toBeLessThan(names.indexOf('rooms'));
    expect(names.at(-1)).toBe('people');
    expect([...gathered]).toEqual([]);
  });

  test('notes rows beforehand whose way leads through what a foreign key makes go first', () => {
    const map = edited(
      'table: hidden_step\n    subject: { person: person }',
      'table: hidden_step\n    subject: { person: { column: id, join: [{ table: room_paper, on: { room: room } }] } }',
    );
    const { stages, gathered } = erasureOrder(host.catalogue, Object.values(map.collections));
    const names = stages.flatMap(({ collections }) => collections.map(({ name }) => name));
    expect(names.indexOf('papers')).toBeLessThan(names.indexOf('rooms'));
    expect([...gathered]).toEqual(['rooms']);
  });

  test('lets a collection be found before another one clears the column that it is found by', () => {
    const map = edited(
      '  people:',
      `  mails:
    table: person
    subject: { person: { column: mail, as: mail } }
    workspace: none
    controller: host
    purpose: p
    legalBasis: l
    retention: r
    columns: {}
    erasure: { rule: keep, ground: g, until: u }
  people:`,
    );
    const { stages } = erasureOrder(host.catalogue, Object.values(map.collections).reverse());
    const names = stages.flatMap(({ collections }) => collections.map(({ name }) => name));
    expect(names.indexOf('mails')).toBeLessThan(names.indexOf('people'));
  });
});

describe('the check refuses', () => {
  const findings = (from: string, to: string) =>
    checkErasure(edited(from, to), host.catalogue).map(
      ({ code, where, message }) => `${code} ${where}: ${message}`,
    );

  test('tombstones that clear nothing', () => {
    expect(findings('{ rule: tombstone, clear: [holder, secret] }', '{ rule: tombstone }')).toEqual([
      expect.stringContaining('erasure.impossible circles.account: The tombstones of accounts clear nothing'),
    ]);
  });

  test('rows of a view without a key', () => {
    expect(findings('    key: [id]\n', '')).toEqual([
      expect.stringContaining('erasure.impossible circles.note: Rows of notes are of a view'),
    ]);
  });

  test('tombstones that would still name their files', () => {
    expect(
      findings(
        '    erasure: { rule: tombstone, clear: [holder, secret] }',
        '    files: { bucket: { constant: b }, path: secret }\n    erasure: { rule: tombstone, clear: [holder] }',
      ),
    ).toEqual([expect.stringContaining('Clear secret.')]);
  });
});

test('batches shrink under load and grow again, between ten rows and a thousand', () => {
  const pace = new Pace();
  expect(pace.size).toBe(1000);
  pace.took(800, 1000);
  expect(pace.size).toBe(250);
  for (let n = 0; n < 9; n += 1) pace.took(5000, pace.size);
  expect(pace.size).toBe(10);
  for (let n = 0; n < 20; n += 1) pace.took(5, pace.size);
  expect(pace.size).toBe(1000);
  pace.took(3, 7);
  expect(pace.size).toBe(1000);
  pace.stumbled();
  expect(pace.size).toBe(250);
});
