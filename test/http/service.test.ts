import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { ReadinessChecks } from '../../src/http/readiness.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { config, notes, owner, release, startSample, untilSlow, type SampleApp } from './sample-app.js';

let db: TestDatabase;
let sample: SampleApp;
const open: SampleApp[] = [];
const start = async (
  ...options: Parameters<typeof startSample> extends [unknown, ...infer Rest] ? Rest : never
) => {
  const started = await startSample(db.database, ...options);
  open.push(started);
  return started;
};
beforeAll(async () => {
  db = await createDatabase();
  sample = await start();
});
afterAll(async () => {
  for (const { app } of open) await app.close();
  await db.drop();
});
const get = (url: string, headers: Record<string, string> = {}) => sample.app.inject({ url, headers });

describe('security headers', () => {
  test('are on every answer', async () => {
    for (const url of ['/healthz', '/nowhere', '/d/token', '/%ZZ', '/openapi.json', notes]) {
      const { headers } = await get(url, owner);
      expect(headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(headers['strict-transport-security']).toBeUndefined();
    }
  });

  test('promise https in production only', async () => {
    const production = await start({ config: { ...config, production: true } });
    const { headers } = await production.app.inject('/healthz');
    expect(headers['strict-transport-security']).toBe('max-age=63072000');
  });

  test('keep what is about somebody out of every cache', async () => {
    expect((await get(notes, owner)).headers['cache-control']).toBe('no-store');
    expect((await get('/d/token')).headers['cache-control']).toBe('no-store');
  });

  test('let a page of ours use its own styles, and its form end at the storage', async () => {
    const { headers, body } = await get('/d/token');
    const css = /<style>(.*)<\/style>/.exec(body)?.[1] ?? '';
    const digest = createHash('sha256').update(css).digest('base64');
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${digest}'`);
    expect(headers['content-security-policy']).toContain("form-action 'self' https://storage.example;");
    expect(headers['content-security-policy']).not.toContain('script-src');
  });
});

describe('rate limits', () => {
  const limits = [
    { route: '/d/', per: 'address', perMinute: 2 },
    { route: '', per: 'caller', perMinute: 3 },
  ] as const;
  const statuses = async (
    app: SampleApp['app'],
    calls: { url: string; headers?: Record<string, string> }[],
  ) => {
    const seen = [];
    for (const call of calls) seen.push((await app.inject(call)).statusCode);
    return seen;
  };

  test('answer 429 as a problem that says when to come back', async () => {
    const { app } = await start({ limits });
    expect(
      await statuses(
        app,
        Array.from({ length: 3 }, () => ({ url: '/d/a' })),
      ),
    ).toEqual([200, 200, 429]);
    const reply = await app.inject('/d/b');
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    expect(reply.json()).toMatchObject({ status: 429, code: 'rate.limited' });
  });

  test('count each caller alone, and a link by address whatever is sent along', async () => {
    const { app } = await start({ limits });
    const as = (name: string, url = notes) => ({ url, headers: { authorization: `Bearer ${name}` } });
    expect(await statuses(app, [as('a'), as('a'), as('a'), as('a'), as('b')])).toEqual([
      200, 200, 200, 429, 200,
    ]);
    expect(await statuses(app, [as('a', '/d/1'), as('b', '/d/2'), as('c', '/d/3')])).toEqual([200, 200, 429]);
  });

  test('do not believe an X-Forwarded-For, unless its proxy is named', async () => {
    const link = (ip: string) => ({ url: '/d/a', headers: { 'x-forwarded-for': ip } });
    const calls = [link('198.51.100.1'), link('198.51.100.2'), link('198.51.100.3')];
    expect(await statuses((await start({ limits })).app, calls)).toEqual([200, 200, 429]);
    const behindProxy = await start({ limits, trustedProxies: ['127.0.0.1'] });
    expect(await statuses(behindProxy.app, calls)).toEqual([200, 200, 200]);
  });

  test('leave an ordinary caller alone', async () => {
    const { app } = await start();
    const seen = await statuses(
      app,
      Array.from({ length: 300 }, () => ({ url: notes, headers: owner })),
    );
    expect(new Set(seen)).toEqual(new Set([200]));
  });
});

describe('operations', () => {
  test('the process says that it lives', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
  });

  test('readiness is what every registered check says, and one that throws has failed', async () => {
    const { app } = await start();
    const checks = app.get(ReadinessChecks);
    checks.register('database', () => Promise.resolve({ ok: true, warning: 'old' }));
    expect((await app.inject('/readyz')).statusCode).toBe(200);
    checks.register('storage', () => Promise.reject(new Error('secret address')));
    const reply = await app.inject('/readyz');
    expect(reply.statusCode).toBe(503);
    expect(reply.json()).toEqual({
      status: 'not ready',
      checks: { database: { ok: true, warning: 'old' }, storage: { ok: false, detail: 'failed' } },
    });
  });

  test('metrics count by route, never by address', async () => {
    await get('/d/secret-token');
    const { body } = await get('/metrics');
    expect(body).toMatch(
      /habeas_http_request_duration_seconds_count\{method="GET",route="\/d\/:token",status="200"\}/,
    );
    expect(body).toContain('process_resident_memory_bytes');
    expect(body).not.toContain('secret-token');
  });

  test('security.txt names a contact and an end', async () => {
    const { body } = await get('/.well-known/security.txt');
    expect(body).toContain('Contact: mailto:privacy@example.org\n');
    const expires = Date.parse(/^Expires: (.+)$/m.exec(body)?.[1] ?? '');
    expect(expires).toBeGreaterThan(Date.now());
  });

  test('closing lets a running call finish', async () => {
    const own = await startSample(db.database);
    await own.app.listen(0, '127.0.0.1');
    const { port } = own.app.getHttpServer().address() as { port: number };
    const running = fetch(`http://127.0.0.1:${port}${notes}`, {
      method: 'POST',
      body: '{"title":"slow"}',
      headers: { ...owner, 'content-type': 'application/json' },
    });
    await untilSlow();
    const closed = own.app.close();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
    release();
    expect((await running).status).toBe(201);
    await closed;
  });
});

describe('the description of the API', () => {
  type Json = Record<string, object | undefined>;
  const described = async () => (await get('/openapi.json')).json<Record<string, Json>>();

  test('is OpenAPI 3.1 from the schemas that hold at run time', async () => {
    const document = await described();
    const path = '/v1/workspaces/{workspaceId}/notes';
    expect(document).toMatchObject({
      openapi: '3.1.0',
      security: [{ bearer: [] }],
      paths: {
        [path]: {
          post: {
            requestBody: {
              content: { 'application/json': { schema: { $ref: '#/components/schemas/NewNoteInput' } } },
            },
            responses: { default: { $ref: '#/components/responses/Problem' } },
          },
          get: {
            parameters: expect.arrayContaining([expect.objectContaining({ name: 'limit', in: 'query' })]),
          },
        },
      },
      components: {
        schemas: {
          NewNoteInput: { additionalProperties: false, required: ['title'] },
          Note: { properties: { at: { type: 'string', format: 'date-time' } } },
        },
      },
    });
  });

  test('names no component that is missing, and leaves the operations out', async () => {
    const text = (await get('/openapi.json')).body;
    const document = await described();
    for (const [, kind = '', name = ''] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(Object.keys(document.components?.[kind] ?? {})).toContain(name);
    }
    expect(text).not.toContain('$defs');
    expect(Object.keys(document.paths ?? {})).not.toContain('/healthz');
  });

  test('names every parameter of every address, ids as UUIDs', async () => {
    const { paths } = await described();
    const workspaceId = {
      name: 'workspaceId',
      in: 'path',
      required: true,
      schema: { type: 'string', format: 'uuid' },
    };
    expect(paths).toMatchObject({
      '/v1/workspaces/{workspaceId}/notes': { post: { parameters: expect.arrayContaining([workspaceId]) } },
      '/v1/workspaces/{workspaceId}/notes/{noteId}': {
        delete: { parameters: expect.arrayContaining([workspaceId, { ...workspaceId, name: 'noteId' }]) },
      },
    });
  });

  test('says which operations need no sign-in, and that writes take an Idempotency-Key', async () => {
    const { paths } = await described();
    expect(paths).toMatchObject({
      '/d/{token}': { get: { security: [] }, post: { parameters: [{ name: 'token', in: 'path' }] } },
      '/v1/workspaces/{workspaceId}/notes': {
        post: { parameters: expect.arrayContaining([{ $ref: '#/components/parameters/IdempotencyKey' }]) },
      },
    });
    expect(JSON.stringify(paths)).not.toContain('x-public');
  });

  test('can be read at /docs, where / leads, without anything from elsewhere', async () => {
    const home = await get('/');
    expect([home.statusCode, home.headers.location]).toEqual([302, '/docs']);
    const page = await get('/docs');
    expect(page.body).not.toMatch(/https?:|<style|<script>/);
    for (const [, file = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await get(file)).statusCode).toBe(200);
    }
  });
});
