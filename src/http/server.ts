import { randomUUID } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { NotFoundException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { checkIds } from './input.js';
import { acceptBodies } from './json-body.js';
import { type ProblemFilter } from './problem.filter.js';
import { problemOf, refusal } from './problems.js';
import { requestContext } from './request-context.js';
import { type RouteTable } from './route-table.js';
import { isPrivate } from './security-headers.js';

const BODY_LIMIT = 256 * 1024;

interface Parts {
  log: Logger;
  filter: ProblemFilter;
  routes: RouteTable;
  headers: Readonly<Record<string, string>>;
  /** Addresses whose X-Forwarded-For counts. None by default: anybody can write that header. */
  trustedProxies: readonly string[];
}

/** Fastify as everything here relies on it: limits, ids, headers, and problem+json for what no route sees. */
export function createServer({ log, filter, routes, headers, trustedProxies }: Parts): FastifyAdapter {
  const adapter = new FastifyAdapter({
    loggerInstance: log,
    // Fastify's own lines hold the URL, and the URL may hold a token; see access-log.ts.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: 512 },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    genReqId: requestId,
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      filter.answer(error, request, reply),
    clientErrorHandler: (error, socket) => answerGarbage(error, socket, headers),
  });
  const server = adapter.getInstance<FastifyInstance>();
  server.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  server.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers).header('x-request-id', request.id);
    if (isPrivate(request.raw.url ?? '')) void reply.header('cache-control', 'no-store');
    requestContext.run({ requestId: request.id }, done);
  });
  // Nothing is there, whatever the body is: do not read it first.
  server.addHook('preParsing', (request, _reply, _payload, done) => {
    done(request.is404 ? new NotFoundException() : null);
  });
  server.addHook('preValidation', (request, _reply, done) => {
    checkIds(request.params);
    done();
  });
  acceptBodies(server);
  letGoWhenClosing(server);
  return adapter;
}

/** A connection that is kept alive after the last answer would keep the whole server from closing. */
function letGoWhenClosing(server: FastifyInstance): void {
  let closing = false;
  server.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done(null, payload);
  });
}

/** The caller's own id where it can do no harm in a log or a header, else a new one. */
function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9-]{8,64}$/.test(given) ? given : randomUUID();
}

const garbage: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What is no HTTP gets a problem as well, written by hand: there is no request to reply to. */
function answerGarbage(
  error: NodeJS.ErrnoException,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const answer = problemOf(refusal(garbage[error.code ?? ''] ?? 400));
  const body = JSON.stringify(answer.body);
  const lines = Object.entries({
    ...headers,
    ...answer.headers,
    'cache-control': 'no-store',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${answer.body.title}\r\n${lines.join('')}\r\n${body}`);
}
