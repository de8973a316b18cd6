import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestDesk } from '../support/desk.js';
import { dueWorkspaces, raceAll } from './purge-races.js';

/** purge-race.deep.test.ts runs thousands. */
const RACES = 160;

describe('a cancellation that lands while the purge is being picked up', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
  });
  afterAll(() => desk.close());

  test('wins and nothing was touched, or hears 409 and all is gone: never both, never neither', async () => {
    const workspaces = await dueWorkspaces(desk, RACES);
    desk.clock.advance(30 * 86_400_000);
    const tally = await raceAll(desk, workspaces);
    expect(tally.wrong).toEqual([]);
    expect(tally.cancelled + tally.purged).toBe(RACES);
    expect(tally.cancelled).toBeGreaterThan(0);
    expect(tally.purged).toBeGreaterThan(0);
  }, 240_000);
});
