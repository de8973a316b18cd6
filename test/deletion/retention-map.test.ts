import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { checkNames } from '../../src/datamap/check-names.js';
import { checkRetention } from '../../src/datamap/check-retention.js';
import { daysOf, reachesAsFar } from '../../src/datamap/iso-days.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type Sweepable, sweepables } from '../../src/datamap/sweepable.js';
import { changedRule, type RetentionRule } from '../../src/deletion/retention/rules.js';
import { overNow, shortens } from '../../src/deletion/retention/time.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const messages = `    retention:
      after: sent_at
      note: As the workspace decides; without a decision, until the workspace is deleted.`;

describe('what a data map says of retention', () => {
  let yaml: string;
  let db: TestDatabase;
  beforeAll(async () => {
    yaml = await readFile(new URL('../../demo/datamap.yaml', import.meta.url), 'utf8');
    db = await createDatabase('atelier_template');
  });
  afterAll(() => db.drop());

  const saying = (retention: string, where = messages) => {
    if (!yaml.includes(where)) throw new Error('the demo map has changed');
    return parseDataMap(yaml.replace(where, `    retention: ${retention}`), { file: 'map.yaml' });
  };
  const findings = async (retention: string, where?: string) => {
    const map = saying(retention, where);
    const owner = { query: (sql: string, values?: readonly unknown[]) => db.behindTheScenes(sql, values && [...values]) }; // prettier-ignore
    const catalogue = await readCatalogue(owner as never);
    return [...checkNames(map, catalogue), ...checkRetention(map, catalogue)].map(
      ({ code, where: at }) => `${code} ${at}`,
    );
  };

  test('words alone, and a time without a column, stay what they were: nothing is swept by them', () => {
    for (const words of ['As the law says', 'P90D', '{ keep: P90D }', '{ keep: P90D, note: Words }'])
      expect(sweepables(saying(words)).map(({ collection }) => collection.name)).not.toContain('messages');
  });

  test('a column makes it something to be done', () => {
    const found = sweepables(saying('{ keep: P90D, after: sent_at, adjustable: false }'));
    expect(found.find(({ collection }) => collection.name === 'messages')).toMatchObject({
      after: 'sent_at',
      keep: 'P90D',
      adjustable: false,
    });
  });

  test.each([
    ['{}', /give `keep`, or `after`/],
    ['{ keep: soon, after: sent_at }', /ISO 8601/],
    ['{ keep: PT5M, after: sent_at }', /counted in days/],
    ['{ keep: P30D, atLeast: P8Y, ground: Law }', /needs `after`/],
    ['{ keep: P30D, after: sent_at, atLeast: P8Y, ground: Law }', /is less than `atLeast: P8Y`/],
    ['{ after: sent_at, atLeast: P8Y }', /go together/],
    ['{ after: sent_at, ground: Law }', /go together/],
    ['{ keep: P30D, adjustable: true }', /needs `after`/],
    ['{ after: sent_at, upTo: P8Y }', /upTo/],
  ])('%s is refused', (retention, message) => {
    expect(() => saying(retention)).toThrow(message);
  });

  test('rows that erasure does not delete have no end', () => {
    const users = '    retention: As long as you have an account.';
    expect(() => saying('{ after: last_seen_at }', users)).toThrow(/cannot be swept/);
  });

  test('the check finds columns that are none, that hold no time, and P0D after the start of something', async () => {
    expect(await findings('{ after: sent_at }')).toEqual([]);
    expect(await findings('{ after: send_at }')).toEqual(['column.unknown atelier.messages.send_at']);
    expect(await findings('{ after: body_sealed }')).toEqual(['column.type atelier.messages.body_sealed']);
    expect(await findings('{ keep: P0D, after: sent_at }')).toEqual([
      'retention.impossible atelier.messages.sent_at',
    ]);
    expect(await findings('{ keep: P0D, after: edited_at }')).toEqual([]);
    await db.behindTheScenes('alter table atelier.messages add column zoneless timestamp');
    expect(await findings('{ after: zoneless }')).toEqual([]);
  });
});

describe('durations', () => {
  test('a month may have 28 to 31 days, a year 365 or 366', () => {
    expect(daysOf('P1M')).toEqual({ least: 28, most: 31 });
    expect(daysOf('P2W1D')).toEqual({ least: 15, most: 15 });
    expect(daysOf('P12M')).toEqual(daysOf('P1Y'));
    expect(daysOf('P0D')).toEqual({ least: 0, most: 0 });
  });

  test('one reaches as far as another only if it does from every day of the calendar', () => {
    expect(reachesAsFar('P31D', 'P1M')).toBe(true);
    expect(reachesAsFar('P30D', 'P1M')).toBe(false);
    expect(reachesAsFar('P1M', 'P30D')).toBe(false);
    expect(reachesAsFar('P8Y', 'P96M')).toBe(true);
  });

  test('nothing is shorter than itself, everything than for ever', () => {
    for (const keep of ['P0D', 'P30D', 'P1M', 'P8Y']) {
      expect(shortens(keep, keep)).toBe(false);
      expect(shortens(null, keep)).toBe(true);
      expect(shortens(keep, null)).toBe(false);
    }
  });

  const now = new Date('2026-03-31T10:00:00Z');
  const rule = (more: Partial<Sweepable>) => ({ fromYearEnd: false, ...more }) as Sweepable;

  test('a month before 31 March ends on the last day of February', () => {
    expect(overNow(now, 'P1M', rule({}))?.at.toISOString()).toBe('2026-02-28T10:00:00.000Z');
  });

  test('a floor holds whatever was set, and for ever is for ever', () => {
    const floor = { atLeast: 'P8Y', ground: 'Law' };
    expect(overNow(now, 'P1D', rule({ floor }))?.at.toISOString()).toBe('2018-03-31T10:00:00.000Z');
    expect(overNow(now, 'P10Y', rule({ floor }))?.at.toISOString()).toBe('2016-03-31T10:00:00.000Z');
    expect(overNow(now, null, rule({ floor }))).toBeUndefined();
  });
});

describe('a change', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const tomorrow = new Date('2026-11-21T12:00:00Z');
  const inForce = (keep: string | null, pending?: string): RetentionRule => ({
    target: 'messages',
    keep,
    source: 'workspace',
    pending: pending === undefined ? null : { keep: pending, effectiveAt: tomorrow },
  });

  test.each([
    ['shortens', inForce('P90D'), 'P30D', { keep: 'P90D', pending: { keep: 'P30D', effectiveAt: tomorrow } }],
    ['sets where there was nothing', inForce(null), 'P30D', { keep: null, pending: { keep: 'P30D' } }],
    ['lengthens', inForce('P30D'), 'P90D', { keep: 'P90D', pending: null }],
    ['lengthens beside what waits', inForce('P90D', 'P30D'), 'P1Y', { keep: 'P1Y', pending: null }],
    ['is for ever', inForce('P90D', 'P30D'), null, { keep: null, pending: null }],
    ['takes back what waits', inForce('P90D', 'P30D'), 'P90D', { keep: 'P90D', pending: null }],
    [
      'shortens less than what waits',
      inForce('P90D', 'P30D'),
      'P60D',
      { keep: 'P90D', pending: { keep: 'P60D' } },
    ],
    ['is the one that waits', inForce('P90D', 'P30D'), 'P30D', undefined],
    ['is none', inForce('P90D'), 'P90D', undefined],
  ])('that %s', (_, was, keep, is) => {
    const changed = changedRule(was, keep, now);
    if (is === undefined) expect(changed).toBeUndefined();
    else expect(changed).toMatchObject(is);
  });
});
