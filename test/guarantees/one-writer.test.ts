import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { projectFile } from '../../src/config.js';

const sources = globSync('**/*.ts', { cwd: projectFile('src') }).map((name) => ({
  name,
  text: readFileSync(projectFile('src', name), 'utf8'),
}));
const writers = (statement: RegExp) =>
  sources.filter(({ text }) => statement.test(text)).map(({ name }) => name);

/** Invariant 3. Only `dsar/requests.ts` writes a request's status, through the transition table. */
describe('only one file writes a request’s status (invariant 3)', () => {
  test('no other statement sets it', () => {
    const sets = /update\s+habeas\.requests\b(?:(?!`|\bwhere\b)[\s\S])*?\bstatus\s*=/i;
    expect(writers(sets)).toEqual(['dsar/requests.ts']);
    expect(readFileSync(projectFile('src', 'dsar', 'requests.ts'), 'utf8')).toMatch(
      /assertLeads\(request\.status, to\)/,
    );
  });

  test('no other statement makes a request', () => {
    expect(writers(/insert\s+into\s+habeas\.requests\b/i)).toEqual(['dsar/requests.ts']);
  });
});

/** Invariant 2. The log has one way in for what Habeas does, so that no event is written past its pseudonyms. */
test('only the audit folder writes events and disclosures (invariant 2)', () => {
  const found = writers(/insert\s+into\s+habeas\.(events|event_disclosures|pseudonyms)\b/i);
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter((name) => !name.startsWith('audit/'))).toEqual([]);
});

/** Invariant 10. Only one file reads the environment, so that no secret has a second way in. */
test('only config.ts reads the environment', () => {
  expect(writers(/process\.env\b/)).toEqual(['config.ts']);
});
