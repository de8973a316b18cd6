import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { commitment } from '../../src/audit/disclosures.js';
import { isCode, partPersonal } from '../../src/audit/pushed-event.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const tenant = '20000000-0000-4000-8000-00000000000a';
const event = {
  action: 'plan.changed',
  actor: { type: 'person', kind: 'user', id: 'ada', name: 'Ada "the" Sentinel\\\u0001 é 😀' },
  targets: [
    { type: 'plan', id: 'pro' },
    { type: 'person', kind: 'user', id: 'bob', name: 'Bob Sentinel' },
  ],
  subjects: [{ kind: 'customer', id: 'c1', name: 'Carl Sentinel' }],
  context: { ip: '203.0.113.9', userAgent: 'curl/8.5.0', requestId: 'req-1' },
  metadata: { to: 'pro', seats: 3, note: 'Sentinel asked', deep: { list: ['eu', 'Sentinel & Co'] } },
};

describe('habeas.record_event in the host app’s own transaction', () => {
  let db: TestDatabase;
  let host: pg.Client;
  beforeAll(async () => {
    db = await createDatabase();
    await db.behindTheScenes(`
      do $$ begin
        if not exists (select from pg_roles where rolname = 'test_host_app') then
          create role test_host_app login password 'test';
        end if;
      end $$`);
    await db.behindTheScenes('grant usage on schema habeas to test_host_app');
    const url = new URL(db.ownerUrl);
    [url.username, url.password] = ['test_host_app', 'test'];
    host = new pg.Client({ connectionString: url.href });
    await host.connect();
  });
  afterAll(async () => {
    await host.end();
    await db.behindTheScenes('drop owned by test_host_app');
    await db.drop();
  });

  const record = async (content: unknown, workspace = tenant): Promise<string> =>
    (
      await host.query<{ id: string }>('select habeas.record_event($1, $2) as id', [
        workspace,
        JSON.stringify(content),
      ])
    ).rows[0]?.id ?? '';

  test('nobody may call it before it is granted, nor read anything afterwards', async () => {
    await expect(record(event)).rejects.toThrow(/permission denied for function/);
    await db.behindTheScenes('grant execute on function habeas.record_event(uuid, jsonb) to test_host_app');
    expect(await record(event)).toMatch(/^[0-9a-f-]{36}$/);
    for (const what of ['habeas.events', 'habeas.pseudonyms', 'habeas.event_disclosures'])
      await expect(host.query(`select from ${what}`)).rejects.toThrow(/permission denied/);
    await expect(host.query(`select habeas.pseudonym_of('user', 'ada')`)).rejects.toThrow(
      /permission denied/,
    );
  });

  test('writes what the same event over HTTP would be', async () => {
    const id = await record(event);
    const [row] = await db.behindTheScenes<Record<string, any>>('select * from habeas.events where id = $1', [
      id,
    ]);
    const { context, metadata, personal } = partPersonal(event);
    expect(row).toMatchObject({ tenant_id: tenant, action: 'plan.changed', outcome: 'success', metadata });
    expect(row?.context).toEqual({ ...context, via: 'sql' });
    expect(row?.subjects).toHaveLength(3);
    for (const value of ['Sentinel', '203.0.113.9', '"ada"', '"bob"', '"c1"'])
      expect(JSON.stringify(row)).not.toContain(value);
    const disclosures = await db.behindTheScenes<{
      path: string;
      value: string;
      salt: Buffer;
      subject: string;
    }>('select * from habeas.event_disclosures where event_id = $1', [id]);
    const [carl] = await db.behindTheScenes<{ pseudonym: string }>(
      `select pseudonym from habeas.pseudonyms where subject_key = 'c1'`,
    );
    expect(disclosures.map(({ path, value }) => ({ path, value })).sort(byPath)).toEqual(
      [
        ...personal,
        { path: 'actor.name', value: event.actor.name },
        { path: 'targets.1.name', value: 'Bob Sentinel' },
        { path: `subjects.${carl?.pseudonym ?? ''}.name`, value: 'Carl Sentinel' },
      ].sort(byPath),
    );
    for (const { path, value, salt } of disclosures)
      expect(row?.commitments[path]).toBe(commitment(path, value, salt));
    expect(new Set(disclosures.map(({ salt }) => salt.toString('hex'))).size).toBe(disclosures.length);
  });

  test('its event is gone with a transaction that rolls back, and the caller keeps its own settings', async () => {
    await host.query('begin');
    await host.query(`set local habeas.workspace = 'mine'`);
    const id = await record(event);
    expect(
      (await host.query(`select current_setting('habeas.workspace') as w, current_user as u`)).rows,
    ).toEqual([{ w: 'mine', u: 'test_host_app' }]);
    await host.query('rollback');
    expect(await db.behindTheScenes('select from habeas.events where id = $1', [id])).toEqual([]);
  });

  test('a person has one pseudonym, whichever way an event came', async () => {
    await record(event);
    const rows = await db.behindTheScenes(
      `select from habeas.pseudonyms where subject_key = 'ada' and tenant_id = $1`,
      [tenant],
    );
    expect(rows).toHaveLength(1);
  });

  test('tables and functions of the caller’s search path are never taken for ours', async () => {
    await host.query('create temporary table events (x int)');
    await host.query(`set search_path = pg_temp, public`);
    expect(await record(event)).toMatch(/-/);
    await host.query('reset search_path');
  });

  test.each([
    ['no workspace', [null, event]],
    ['no object', [tenant, [event]]],
    ['an unknown field', [tenant, { ...event, secret: 1 }]],
    ['a word that is no action', [tenant, { ...event, action: 'Changed!' }]],
    ['a mail as an id', [tenant, { ...event, targets: [{ type: 'plan', id: 'a@b.example' }] }]],
    ['a person without a kind', [tenant, { ...event, actor: { type: 'person', id: 'ada' } }]],
    ['what staff did', [tenant, { ...event, actor: { type: 'staff', id: 'me' } }]],
    ['a key that is a mail', [tenant, { ...event, metadata: { deep: [{ 'a@b.example': 1 }] } }]],
    ['who pushed it', [tenant, { ...event, context: { via: 'habeas' } }]],
    ['a time to come', [tenant, { ...event, occurredAt: '2999-01-01T00:00:00Z' }]],
  ])('refuses %s', async (_, [workspace, content]) => {
    await expect(record(content, workspace as string)).rejects.toThrow(
      /not an event|is not one|not a name|needs a kind|must lie between|violates check constraint/,
    );
  });

  test('draws ids that tell the time, as those over HTTP', async () => {
    const id = await record({ ...event, occurredAt: '2026-03-01T00:00:00.123Z' });
    expect(id[14]).toBe('7');
    expect(id[19]).toMatch(/[89ab]/);
    expect(parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.parse('2026-03-01T00:00:00.123Z'));
  });

  test('takes the same texts for codes as HTTP does', async () => {
    const texts = fc.sample(
      fc.oneof(
        fc.string({ unit: 'grapheme-ascii' }),
        fc.stringMatching(/^[a-z0-9_.:/-]{1,70}$/),
        fc.stringMatching(/^[A-Z][A-Z0-9_-]{0,17}$/),
        fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
          .map((date) => date.toISOString()),
        fc.uuid(),
        fc.constantFrom(
          'olivia',
          'Olivia',
          'a@b.c',
          '203.0.113.9',
          '+4930123',
          'US-CA',
          'plan.changed',
          'x\n',
          '2026-01-31',
        ),
      ),
      600,
    );
    const rows = await db.behindTheScenes<{ code: boolean }>(
      'select habeas.is_code(text) as code from unnest($1::text[]) with ordinality as t (text, n) order by n',
      [texts],
    );
    expect(rows.map(({ code }) => code)).toEqual(texts.map(isCode));
    for (const personal of ['Olivia', 'a@b.c', '203.0.113.9', '+4930123', 'x\n', 'two words'])
      expect(isCode(personal)).toBe(false);
    expect(isCode(randomUUID())).toBe(true);
  });
});

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
