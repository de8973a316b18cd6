import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { issueToken } from '../../src/keys/tokens.js';
import { acme, type Crew, crew, type Name, other } from './host.js';

const MINUTE = 60_000;
const tokens = `/v1/workspaces/${acme}/tokens`;
const requests = `/probe/in/${acme}/requests`;
const reader = { name: 'Billing', permissions: ['requests:read'] };

let it: Crew;
beforeAll(async () => {
  it = await crew();
});
afterAll(() => it.close());

async function made(body: object, as: Name = 'owner', at = tokens) {
  const answer = await it.call('POST', at, as, body);
  expect(answer.status).toBe(201);
  return { bearer: answer.body.token as string, id: answer.body.id as string, body: answer.body };
}
const codeWith = async (bearer: string, url = requests, method = 'GET') => {
  const { status, body } = await it.call(method, url, { bearer });
  return status < 300 ? status : body.code;
};
const lastUsed = async (id: string) =>
  (
    await it.db.behindTheScenes<{ at: Date | null }>(
      'select last_used_at as at from habeas.api_tokens where id = $1',
      [id],
    )
  )[0]?.at;

describe('an API token', () => {
  test('is shown once, and kept as a hash', async () => {
    const { bearer, body } = await made(reader);
    expect(bearer).toMatch(/^hbs_[A-Za-z0-9_-]{64}$/);
    expect(body).toMatchObject({ ...reader, lastUsedAt: null, revokedAt: null });
    const list = await it.call('GET', tokens, 'admin');
    expect(JSON.stringify(list.body)).not.toContain(bearer);
    const rows = JSON.stringify(
      await it.db.behindTheScenes(`select *, encode(token_hash, 'base64') from habeas.api_tokens`),
    );
    expect(rows).not.toContain(bearer.slice(-40));
  });

  test('does what its permissions say, and nothing else', async () => {
    const { bearer } = await made(reader);
    expect(await codeWith(bearer)).toBe(200);
    expect(await codeWith(bearer, requests, 'POST')).toBe('auth.forbidden');
    expect(await codeWith(bearer, `/probe/in/${acme}/package`, 'POST')).toBe('auth.forbidden');
    expect(await codeWith(bearer, '/probe/own')).toBe('auth.forbidden');
    expect(await codeWith(bearer, '/probe/desk')).toBe('auth.forbidden');
    expect(await codeWith(bearer, tokens)).toBe('auth.forbidden');
    const { bearer: writer } = await made({ ...reader, permissions: ['requests:write'] });
    expect(await codeWith(writer, requests, 'POST')).toBe(201);
    expect(await codeWith(writer)).toBe('auth.forbidden');
  });

  test('acts in the log as itself', async () => {
    const { bearer, id } = await made(reader);
    const { body } = await it.call('GET', requests, { bearer });
    expect(body.tenancy).toMatchObject({ tenant: acme, actor: { type: 'token', id } });
  });

  test('of another workspace is no caller here', async () => {
    const { bearer } = await made(reader, 'neighbour', `/v1/workspaces/${other}/tokens`);
    expect(await codeWith(bearer, `/probe/in/${other}/requests`)).toBe(200);
    expect(await codeWith(bearer)).toBe('workspace.not_found');
  });

  test('of the host’s own tenant is good in every workspace', async () => {
    const { bearer } = await made(reader, 'privacy-lead', `/v1/workspaces/${HOST_TENANT}/tokens`);
    expect(await codeWith(bearer)).toBe(200);
    expect(await codeWith(bearer, `/probe/in/${other}/requests`)).toBe(200);
    expect(await codeWith(bearer, `/probe/in/${HOST_TENANT}/requests`)).toBe(200);
  });

  test('that was never made, or whose front part was changed, is refused', async () => {
    const { bearer } = await made(reader);
    const foreignFront = issueToken(other, 'hbs_').token.slice(0, 24) + bearer.slice(24);
    for (const forged of [
      issueToken(acme, 'hbs_').token,
      foreignFront,
      `${bearer}A`,
      'hbs_',
      bearer.slice(4),
    ])
      expect(await codeWith(forged)).toBe('auth.token_invalid');
  });

  test('is refused from the moment it is revoked, and once more changes nothing', async () => {
    const { bearer, id } = await made(reader);
    expect(await codeWith(bearer)).toBe(200);
    for (let n = 0; n < 2; n++)
      expect((await it.call('DELETE', `${tokens}/${id}`, 'owner')).status).toBe(204);
    expect(await codeWith(bearer)).toBe('auth.token_invalid');
    const events = await it.db.behindTheScenes(
      `select action from habeas.events where targets @> jsonb_build_array(jsonb_build_object('id', $1::text)) order by id`,
      [id],
    );
    expect(events).toEqual([{ action: 'token.created' }, { action: 'token.revoked' }]);
  });

  test('expires when it was said to', async () => {
    const expiresAt = new Date(it.clock.now().getTime() + 10 * MINUTE).toISOString();
    const { bearer } = await made({ ...reader, expiresAt });
    expect(await codeWith(bearer)).toBe(200);
    const before = it.clock.now();
    it.clock.set(expiresAt);
    expect(await codeWith(bearer)).toBe('auth.token_expired');
    it.clock.set(before);
  });

  test('lasts a year when nothing was said, and never longer', async () => {
    const { body } = await made(reader);
    const days =
      (new Date(body.expiresAt as string).getTime() - it.clock.now().getTime()) / (24 * 60 * MINUTE);
    expect(days).toBe(365);
    for (const expiresAt of ['2028-01-01T00:00:00Z', it.clock.now().toISOString(), '2020-01-01T00:00:00Z'])
      expect(await it.call('POST', tokens, 'owner', { ...reader, expiresAt })).toMatchObject({
        status: 422,
        body: { code: 'token.expiry_out_of_range' },
      });
  });

  test('has its last use noted at most once a minute', async () => {
    const { bearer, id } = await made(reader);
    const start = it.clock.now();
    await codeWith(bearer);
    expect(await lastUsed(id)).toEqual(start);
    it.clock.advance(59_000);
    await codeWith(bearer);
    expect(await lastUsed(id)).toEqual(start);
    it.clock.advance(1000);
    await codeWith(bearer);
    expect(await lastUsed(id)).toEqual(it.clock.now());
  });

  test('is made by owners and admins only', async () => {
    const status = async (name: Name) => (await it.call('POST', tokens, name, reader)).status;
    expect(await status('admin')).toBe(201);
    expect(await status('member')).toBe(403);
    expect(await status('viewer')).toBe(403);
    expect(await status('support')).toBe(403);
    expect(await status('neighbour')).toBe(404);
  });

  test.each([
    [{ ...reader, permissions: [] }],
    [{ ...reader, permissions: ['requests:delete'] }],
    [{ ...reader, permissions: ['requests:read', 'requests:read'] }],
    [{ ...reader, name: '' }],
    [{ ...reader, name: 'two\nlines' }],
    [{ ...reader, name: 'x'.repeat(101) }],
    [{ ...reader, expiresAt: 'tomorrow' }],
    [{ ...reader, tenant: other }],
    [{ permissions: ['requests:read'] }],
  ])('is not made of %j', async (body) => {
    expect(await it.call('POST', tokens, 'owner', body)).toMatchObject({
      status: 400,
      body: { code: 'input.invalid' },
    });
  });

  test('of another workspace cannot be revoked, nor told from one that never was', async () => {
    const { id, bearer } = await made(reader, 'neighbour', `/v1/workspaces/${other}/tokens`);
    const foreign = await it.call('DELETE', `${tokens}/${id}`, 'owner');
    const absent = await it.call('DELETE', `${tokens}/00000000-0000-4000-8000-000000000000`, 'owner');
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, instance: 0 }).toEqual({ ...absent.body, instance: 0 });
    expect(await codeWith(bearer, `/probe/in/${other}/requests`)).toBe(200);
  });

  test('keeps its name out of the event itself', async () => {
    const name = 'Sentinel of Ada Lovelace';
    const { id } = await made({ ...reader, name });
    const [event] = await it.db.behindTheScenes<{ whole: string; id: string }>(
      `select id, e::text as whole from habeas.events e where targets @> jsonb_build_array(jsonb_build_object('id', $1::text))`,
      [id],
    );
    expect(event?.whole).not.toContain('Sentinel');
    const kept = await it.db.behindTheScenes(
      `select value from habeas.event_disclosures where event_id = $1 and path = 'metadata.name'`,
      [event?.id],
    );
    expect(kept).toEqual([{ value: name }]);
  });

  test('is listed page by page, newest first, each once', async () => {
    const all = (await it.call('GET', `${tokens}?limit=200`, 'owner')).body.items as { id: string }[];
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { body } = await it.call('GET', `${tokens}?limit=3${next && `&cursor=${next}`}`, 'owner');
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      next = body.next as string | null;
    }
    expect(all.length).toBeGreaterThan(6);
    expect(seen).toEqual(all.map(({ id }) => id));
    expect((await it.call('GET', `${tokens}?cursor=rubbish`, 'owner')).status).toBe(400);
  });

  test('is one of a hundred at the most', async () => {
    const at = `/v1/workspaces/${other}/tokens`;
    await it.db.behindTheScenes(
      `insert into habeas.api_tokens (tenant_id, name, permissions, token_hash, created_by, expires_at)
       select $1, 'n', '{events:read}', sha256(n::text::bytea), 'x', '2027-01-01' from generate_series(1, 100) as n`,
      [other],
    );
    expect(await it.call('POST', at, 'neighbour', reader)).toMatchObject({
      status: 422,
      body: { code: 'token.too_many' },
    });
  });
});
