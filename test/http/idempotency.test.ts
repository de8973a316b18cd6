import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Idempotency } from '../../src/http/idempotency.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { done, notes, owner, release, untilSlow, startSample, type SampleApp } from './sample-app.js';

describe('a write with an Idempotency-Key', () => {
  const clock = new TestClock();
  let db: TestDatabase;
  let sample: SampleApp;
  let key: string;
  beforeAll(async () => {
    db = await createDatabase();
    sample = await startSample(db.database, { clock });
  });
  beforeEach(() => {
    key = randomUUID();
  });
  afterAll(async () => {
    await sample.app.close();
    await db.drop();
  });

  const post = (payload: object, headers: Record<string, string> = owner, url = notes) =>
    sample.app.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': key, ...headers } });

  test('happens once and gets the same answer again', async () => {
    const before = done.notes;
    const first = await post({ title: 'note' });
    const second = await post({ title: 'note' });
    expect(done.notes).toBe(before + 1);
    expect(second.statusCode).toBe(201);
    expect(second.body).toBe(first.body);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
  });

  test('without one happens every time', async () => {
    const before = done.notes;
    const send = () =>
      sample.app.inject({ method: 'POST', url: notes, payload: { title: 'note' }, headers: owner });
    await send();
    await send();
    expect(done.notes).toBe(before + 2);
  });

  test('cannot be another request', async () => {
    await post({ title: 'note' });
    const other = await post({ title: 'another note' });
    expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([422, 'idempotency.key_reused']);
  });

  test('is another one for another caller, and in another workspace', async () => {
    const before = done.notes;
    await post({ title: 'note' });
    await post({ title: 'note' }, { authorization: 'Bearer somebody-else' });
    await post({ title: 'note' }, owner, notes.replace('0001/', '0002/'));
    expect(done.notes).toBe(before + 3);
  });

  test('sent again while it runs is told so, and runs once', async () => {
    const before = done.notes;
    const first = post({ title: 'slow' });
    await untilSlow();
    const second = await post({ title: 'slow' });
    expect(second.json()).toMatchObject({ code: 'idempotency.in_progress' });
    expect(second.headers['retry-after']).toBe('1');
    release();
    expect((await first).statusCode).toBe(201);
    expect(done.notes).toBe(before + 1);
  });

  test('refused once is refused again with the same words', async () => {
    const first = await post({ title: 'irreversible' });
    const second = await post({ title: 'irreversible' });
    expect(first.statusCode).toBe(409);
    expect(second.body).toBe(first.body);
    expect(second.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });

  test.each([
    ['that failed on our side', { title: 'broken' }, 500],
    ['whose input was wrong', { title: '' }, 400],
    ['that wanted a fresh sign-in', { title: 'stale' }, 403],
  ])('%s may be sent again under the same key', async (_which, payload, status) => {
    expect((await post(payload)).statusCode).toBe(status);
    expect((await post({ title: 'note' })).statusCode).toBe(201);
  });

  test('whose process died is free again after five minutes', async () => {
    await post({ title: 'note' });
    await db.behindTheScenes('update habeas.idempotency_keys set status = null, response = null');
    expect((await post({ title: 'note' })).json()).toMatchObject({ code: 'idempotency.in_progress' });
    clock.advance(5 * 60_000 + 1);
    expect((await post({ title: 'note' })).statusCode).toBe(201);
  });

  test('is remembered for a day, and then forgotten by the sweep', async () => {
    const before = done.notes;
    await post({ title: 'note' });
    clock.advance(24 * 3600_000 - 1);
    await post({ title: 'note' });
    expect(done.notes).toBe(before + 1);
    clock.advance(2);
    await post({ title: 'note' });
    expect(done.notes).toBe(before + 2);

    clock.advance(25 * 3600_000);
    const idempotency = new Idempotency(db.database, clock);
    expect(await idempotency.forgetOld()).toBeGreaterThan(0);
    expect(await db.behindTheScenes('select from habeas.idempotency_keys')).toHaveLength(0);
    expect(await idempotency.forgetOld()).toBe(0);
  });

  test('leaves neither its key nor its answer readable in the table', async () => {
    await post({ title: 'a very telling title' });
    const [row] = await db.behindTheScenes<{ text: string }>(
      'select string_agg(k::text, $$,$$) as text from habeas.idempotency_keys k',
    );
    expect(row?.text).toContain('sealed');
    expect(row?.text).not.toMatch(new RegExp(`telling|shown-once|owner|${key}`));
  });

  test('must be one that fits a header', async () => {
    const reply = await sample.app.inject({
      method: 'POST',
      url: notes,
      payload: { title: 'note' },
      headers: { ...owner, 'idempotency-key': 'a'.repeat(256) },
    });
    expect(reply.json()).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
  });
});
