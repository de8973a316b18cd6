import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type InjectOptions } from 'fastify';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { notes, owner, startSample, workspace, type SampleApp } from './sample-app.js';

describe('what cannot be done is answered as problem+json', () => {
  let db: TestDatabase;
  let sample: SampleApp;
  beforeAll(async () => {
    db = await createDatabase();
    sample = await startSample(db.database);
    await sample.app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await sample.app.close();
    await db.drop();
  });

  const call = async (options: InjectOptions) => {
    const reply = await sample.app.inject(options);
    return { reply, problem: reply.json<Record<string, unknown>>() };
  };
  const post = (payload: string | object, headers: Record<string, string> = {}) =>
    call({
      method: 'POST',
      url: notes,
      payload,
      headers: { ...owner, 'content-type': 'application/json', ...headers },
    });

  /** The status line, headers and body of bytes that need not be HTTP. */
  const raw = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      const { port } = sample.app.getHttpServer().address() as { port: number };
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  test('it has a stable code, a sentence and the request id, and no cache keeps it', async () => {
    const { reply, problem } = await call({ url: '/nowhere', headers: { 'x-request-id': 'my-own-id-1' } });
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(reply.headers['x-request-id']).toBe('my-own-id-1');
    expect(problem).toEqual({
      type: 'urn:habeas:problem:route.not_found',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing at this address.',
      code: 'route.not_found',
      instance: 'my-own-id-1',
    });
  });

  test('a request id that could do harm is replaced', async () => {
    for (const id of ['x', 'a b c d e f g h', '"><script>', 'a'.repeat(65), 'alice@example.org']) {
      const { reply } = await call({ url: '/nowhere', headers: { 'x-request-id': id } });
      expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('a method that the address does not take is a 405 that says which it takes', async () => {
    const { reply, problem } = await call({ method: 'PUT', url: notes, headers: owner });
    expect([reply.statusCode, reply.headers.allow, problem.code]).toEqual([
      405,
      'GET, HEAD, POST',
      'route.method_not_allowed',
    ]);
  });

  test('an address that was asked for is never repeated', async () => {
    const { reply } = await call({ url: '/d/secret-token-1/unknown?mail=alice@example.org' });
    expect(reply.statusCode).toBe(404);
    expect(reply.body).not.toMatch(/secret-token-1|alice/);
  });

  test('a body over 256 KB is a 413', async () => {
    const { reply, problem } = await post({ title: 'x'.repeat(300 * 1024) });
    expect([reply.statusCode, problem.code]).toEqual([413, 'input.too_large']);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])('a body of %s is a 415', async (type) => {
    const { reply, problem } = await post('title=abc', { 'content-type': type });
    expect([reply.statusCode, problem.code]).toEqual([415, 'input.media_type']);
  });

  test('a form is taken where a page posts one, and a field given twice is not', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const taken = await call({ method: 'POST', url: '/d/token', payload: 'a=1&b=2', headers: form });
    expect(taken.problem).toEqual({ fields: ['a', 'b'] });
    const twice = await call({ method: 'POST', url: '/d/token', payload: 'a=1&a=2', headers: form });
    expect(twice.problem.code).toBe('input.duplicate_key');
  });

  test.each([
    ['{"title": ', 'input.malformed_json'],
    ['{"title":"abc","title":"def"}', 'input.duplicate_key'],
    ['{"title":"abc","tags":{"a":1,"\\u0061":2}}', 'input.duplicate_key'],
    ['{"title":"abc","__proto__":{"admin":true}}', 'input.forbidden_key'],
    ['{"title":"abc","tags":{"\\u005f_proto__":1}}', 'input.forbidden_key'],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, 'input.too_deep'],
  ])('the body %.40s is a 400: %s', async (body, code) => {
    const { reply, problem } = await post(body);
    expect([reply.statusCode, problem.code]).toEqual([400, code]);
  });

  test('the same words as key and as value, and in two objects, are no duplicates', async () => {
    const { reply } = await post('{"title":"title","kind":"short","tags":{"title":1,"kind":2}}');
    expect(reply.statusCode).toBe(201);
  });

  test('wrong input is told field by field, without what was submitted', async () => {
    const { reply, problem } = await post({
      title: 1234567,
      kind: 'sentinel-kind',
      extra: 'sentinel-extra',
      mail: 'sentinel-mail',
      tags: { 'alice@example.org': 'sentinel-tag' },
    });
    expect([reply.statusCode, problem.code]).toEqual([400, 'input.invalid']);
    expect(problem.errors).toEqual([
      {
        path: 'title',
        code: 'input.invalid_type',
        message: 'Invalid input: expected string, received number',
      },
      {
        path: 'kind',
        code: 'input.invalid_value',
        message: 'Invalid option: expected one of "short"|"long"',
      },
      {
        path: 'tags.*',
        code: 'input.invalid_type',
        message: 'Invalid input: expected number, received string',
      },
      { path: 'mail', code: 'input.custom', message: 'This is not valid here.' },
      { path: 'extra', code: 'input.unknown_field', message: 'There is no such field.' },
    ]);
    expect(reply.body).not.toMatch(/sentinel|alice|1234567/);
  });

  test('no body at all is wrong input as well', async () => {
    const { problem } = await post('');
    expect(problem.code).toBe('input.invalid');
  });

  test('a path parameter that is no uuid is a 400 before anybody is asked', async () => {
    const { reply, problem } = await call({ url: `/v1/workspaces/1' or true--/notes` });
    expect([reply.statusCode, problem.code]).toEqual([400, 'input.invalid']);
    expect(problem.errors).toEqual([
      { path: 'workspaceId', code: 'input.invalid_format', message: 'This must be a UUID.' },
    ]);
  });

  test('a query is held against its schema', async () => {
    const { problem } = await call({ url: `${notes}?limit=1000`, headers: owner });
    expect(problem.errors).toMatchObject([{ path: 'limit', code: 'input.too_big' }]);
    expect((await call({ url: `${notes}?limit=7`, headers: owner })).problem).toEqual({
      items: [7],
      next: null,
    });
  });

  test('who is not signed in gets a 401 with the scheme, who may not a 403', async () => {
    const nobody = await call({ url: notes });
    expect([nobody.reply.statusCode, nobody.reply.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="habeas"',
    ]);
    const viewer = await call({ url: notes, headers: { authorization: 'Bearer viewer' } });
    expect([viewer.reply.statusCode, viewer.problem.code]).toEqual([403, 'auth.forbidden']);
  });

  test('what is missing is a 404, what cannot be undone a 409', async () => {
    const missing = await call({ method: 'DELETE', url: `${notes}/${workspace}`, headers: owner });
    expect([missing.reply.statusCode, missing.problem.code]).toEqual([404, 'note.not_found']);
    const late = await post({ title: 'irreversible' });
    expect([late.reply.statusCode, late.problem.code]).toEqual([409, 'request.irreversible']);
  });

  test('what nobody foresaw is a bare 500 whose id finds it in the log', async () => {
    const { reply, problem } = await post({ title: 'broken', mail: 'alice@example.org' });
    expect(problem).toMatchObject({
      status: 500,
      code: 'server.error',
      instance: reply.headers['x-request-id'],
    });
    expect(Object.keys(problem)).not.toContain('stack');
    expect(reply.body).not.toMatch(/alice|cannot store|sample-app/);
    expect(sample.log()).toContain(`"requestId":"${String(problem.instance)}","err":{"type":"Error"`);
  });

  test('an address that is not one is a 400', async () => {
    const { reply, problem } = await call({ url: '/%ZZ' });
    expect([reply.statusCode, problem.code]).toEqual([400, 'input.malformed']);
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('a path parameter without end is a 414', async () => {
    const { reply, problem } = await call({ url: `/d/${'a'.repeat(600)}` });
    expect([reply.statusCode, problem.code]).toEqual([414, 'input.url_too_long']);
  });

  test.each([
    ['no HTTP at all', 'HELLO THERE\r\n\r\n', 400, 'input.malformed'],
    [
      'a header injected by a bare newline',
      'GET / HTTP/1.1\r\nhost: a\r\nx: a\nb\r\n\r\n',
      400,
      'input.malformed',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      400,
      'input.malformed',
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`,
      431,
      'input.headers_too_large',
    ],
  ])('%s is a problem too', async (_what, bytes, status, code) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
  });
});
