import { afterAll, beforeAll, expect } from '@jest/globals';
import { hangingCases, saidOf } from './hanging-cases.js';
import { Inventions } from './invented-check.js';
import { refusesPerson } from './invented-erasure.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const PERSONS: [string, string][] = [
  ['person', '1'],
  ['person', '2'],
];

// An error wherever the eraser refuses somebody, by the key that it names, and only there.
hangingCases(async (invention, whose = PERSONS) => {
  const told = await saidOf(inventions, invention);
  const errors = told.filter((line) => line.startsWith('error'));
  let refused: string | undefined;
  for (const [kind, key] of whose) refused ??= await refusesPerson(inventions, invention, kind, key);
  expect({ refused, errors }).toEqual({
    refused: errors.length > 0 ? expect.any(String) : undefined,
    errors: refused === undefined ? [] : expect.arrayContaining([expect.stringContaining(refused)]),
  });
  return told;
});
