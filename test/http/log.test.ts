import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { DomainError } from '../../src/errors.js';
import { createLog, NestLog } from '../../src/http/log.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { notes, owner, startSample, workspace, type SampleApp } from './sample-app.js';

const sentinel = /sentinel/i;

describe('the log', () => {
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

  const lines = () =>
    sample
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('no value of a call is ever in it, wherever the call fails', async () => {
    const address = sample.app.getHttpServer().address() as { port: number };
    const base = `http://127.0.0.1:${address.port}`;
    const json = { 'content-type': 'application/json' };
    const bearer = {
      authorization: 'Bearer sentinel-credential',
      cookie: 'id=sentinel',
      'user-agent': 'sentinel',
    };
    const send = (path: string, method = 'GET', body?: string, headers: Record<string, string> = {}) =>
      fetch(base + path, { method, body, headers: { ...bearer, ...headers } }).then((reply) => reply.status);
    const note = (title: string) => JSON.stringify({ title, mail: 'sentinel@example.org' });

    const statuses = [
      await send(`${notes}?limit=5&cursor=sentinel`),
      await send(`${notes}?sentinel=1`),
      await send('/d/sentinel-token'),
      await send('/sentinel?mail=sentinel'),
      await send('/%ZZsentinel'),
      await send('/v1/workspaces/sentinel/notes'),
      await send(`${notes}/${workspace}`, 'DELETE'),
      await send(notes, 'POST', note('sentinel'), json),
      await send(notes, 'POST', note('broken'), json),
      await send(notes, 'POST', note('postgres'), json),
      await send(notes, 'POST', note('irreversible'), json),
      await send(notes, 'POST', '{"sentinel": "sentinel', json),
      await send(notes, 'POST', '{"sentinel": "sentinel"}', {
        ...json,
        'x-request-id': 'sentinel@example.org',
      }),
      await send(notes, 'POST', 'sentinel', { 'content-type': 'text/sentinel' }),
      await send(notes, 'PUT', 'sentinel', json),
      await send(notes, 'POST', note('sentinel'), { ...json, 'idempotency-key': 'sentinel key' }),
    ];
    expect(statuses).toEqual([
      200, 400, 200, 404, 400, 400, 404, 201, 500, 500, 409, 400, 400, 415, 405, 400,
    ]);
    expect(lines().filter(({ msg }) => msg === 'answered').length).toBeGreaterThanOrEqual(15);
    expect(sample.log()).not.toMatch(sentinel);
  });

  test('it names the route, the status, the code and the tenant of a call', async () => {
    await sample.app.inject({ method: 'DELETE', url: `${notes}/${workspace}`, headers: owner });
    expect(lines().at(-1)).toMatchObject({
      level: 'info',
      method: 'DELETE',
      route: '/v1/workspaces/:workspaceId/notes/:noteId',
      status: 404,
      code: 'note.not_found',
      tenant: workspace,
      msg: 'answered',
    });
  });

  test('a line written while a call runs carries its id, and no other call’s', async () => {
    await Promise.all(
      ['first-call', 'second-call'].map((id) =>
        sample.app.inject({
          method: 'POST',
          url: notes,
          payload: { title: 'note' },
          headers: { ...owner, 'x-request-id': id },
        }),
      ),
    );
    const own = lines().filter(({ msg, requestId }) => msg === 'noted' || requestId === 'second-call');
    expect(
      lines()
        .filter(({ context }) => context === 'Notes')
        .slice(-2),
    ).toHaveLength(2);
    expect(own.map(({ requestId }) => requestId)).toEqual(
      expect.arrayContaining(['first-call', 'second-call']),
    );
  });

  test('of an error of Postgres it keeps the names of things', async () => {
    await sample.app.inject({
      method: 'POST',
      url: notes,
      payload: { title: 'postgres', mail: 'sentinel@example.org' },
      headers: owner,
    });
    const failed = lines().findLast(({ msg }) => msg === 'request failed');
    expect(failed?.err).toMatchObject({
      type: 'QueryFailedError',
      driver: { code: expect.stringMatching(/^[0-9A-Z]{5}$/) },
    });
  });
});

describe('an error in the log', () => {
  const written = (write: (log: ReturnType<typeof createLog>) => void) => {
    const lines: string[] = [];
    write(createLog({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) }));
    return lines.join('');
  };
  const pgError = () =>
    Object.assign(new Error('duplicate key value (mail)=(sentinel) violates'), {
      code: '23505',
      detail: 'Key (mail)=(sentinel) already exists.',
      where: 'COPY people, line 1, column mail: "sentinel"',
      table: 'people',
      constraint: 'people_mail_key',
      internalQuery: 'select sentinel',
    });
  const typeormError = () => new QueryFailedError('insert into people values ($1)', ['sentinel'], pgError());
  const deep = () => new Error('sentinel', { cause: new AggregateError([typeormError()], 'sentinel') });

  test.each([
    ['as the only argument', (log: ReturnType<typeof createLog>) => log.error(typeormError())],
    ['under err', (log) => log.error({ err: pgError() })],
    ['under error', (log) => log.warn({ error: deep() }, 'failed')],
    ['with a cause', (log) => log.error(deep(), 'failed')],
    ['through Nest', (log) => new NestLog(log).error(pgError())],
    ['through Nest, with its stack', (log) => new NestLog(log).error('failed', deep().stack, 'Sweeps')],
    ['through Nest, in an object', (log) => new NestLog(log).error({ request: 'r1', err: deep() }, 'Sweeps')],
    [
      'with the parameters beside it',
      (log) => log.error({ parameters: ['sentinel'], job: { query: 'sentinel' } }),
    ],
  ] satisfies [string, (log: ReturnType<typeof createLog>) => void][])(
    '%s never shows a value',
    (_how, write) => {
      const text = written(write);
      expect(text).not.toMatch(sentinel);
      expect(text.length).toBeGreaterThan(50);
    },
  );

  test('keeps its codes, its place and the sentence of our own errors', () => {
    const text = written((log) =>
      log.error(new DomainError('storage.unavailable', 'Later.', { cause: pgError() })),
    );
    expect(JSON.parse(text)).toMatchObject({
      level: 'error',
      err: {
        type: 'DomainError',
        message: 'Later.',
        code: 'storage.unavailable',
        cause: { code: '23505', table: 'people', constraint: 'people_mail_key' },
        stack: expect.arrayContaining([expect.stringContaining('log.test')]),
      },
    });
  });

  test('the loggers of Nest write into it under their name', () => {
    const text = written((log) => {
      Logger.overrideLogger(new NestLog(log));
      new Logger('Sweeps').log({ requests: 3 }, 'swept');
      Logger.overrideLogger(false);
    });
    expect(JSON.parse(text)).toMatchObject({ level: 'info', context: 'Sweeps', requests: 3 });
  });
});
