import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { of, type Observable } from 'rxjs';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { HOST_TENANT, systemTenancy } from '../database/tenancy.js';
import { Idempotency, type Answer, type KeyedWrite } from './idempotency.js';
import { invalidInput } from './input.js';
import './request-context.js';

/** Wrong input, who sent it, and too soon: whoever does as such an answer asks must not meet it again. */
const notCarriedOut = new Set([400, 401, 403, 429]);
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** A write with an Idempotency-Key happens once, however often it is sent. Runs after the guard. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger('Idempotency');
  private found?: Idempotency;

  constructor(private readonly modules: ModuleRef) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const write = keyedWrite(request);
    if (!write) return next.handle();

    const before = await this.idempotency.begin(write);
    if (before) return of(replay(http.getResponse<FastifyReply>(), before));
    request.keepAnswer = (answer) => this.settle(write, answer);
    return next.handle();
  }

  /** What went wrong on our side, or was never carried out, may be sent again under the same key. */
  private async settle(write: KeyedWrite, answer: Answer | undefined): Promise<void> {
    const final = answer !== undefined && answer.status < 500 && !notCarriedOut.has(answer.status);
    try {
      await (final ? this.idempotency.keep(write, answer) : this.idempotency.release(write));
    } catch (error) {
      // The work is done and must be answered; the key stays taken until it counts as abandoned.
      this.logger.error(error);
    }
  }

  /** Found late: http stands below whoever provides the database. */
  private get idempotency(): Idempotency {
    this.found ??= new Idempotency(
      this.modules.get(Database, { strict: false }),
      this.modules.get(Clock, { strict: false }),
    );
    return this.found;
  }
}

/** Callers that nobody knows cannot be told apart, so that their keys are not kept. */
function keyedWrite(request: FastifyRequest): KeyedWrite | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || !writes.has(request.method) || request.principalId === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidInput([
      {
        path: 'Idempotency-Key',
        code: 'input.invalid_format',
        message: 'This must be 1 to 255 visible ASCII characters; a UUID is best.',
      },
    ]);
  }
  const { method, url, body, tenancy } = request;
  return {
    tenancy: tenancy ?? systemTenancy(HOST_TENANT, 'idempotency'),
    caller: request.principalId,
    key,
    request: JSON.stringify([method, url, body ?? null]),
  };
}

function replay(reply: FastifyReply, { status, headers, body }: Answer): string {
  void reply.code(status).headers({ ...headers, 'idempotency-replayed': 'true' });
  return body;
}

const keptHeaders = ['content-type', 'location', 'www-authenticate', 'retry-after'];

/** Takes the answer down as it leaves, problems included. A stream cannot be kept; its key is freed. */
export function keepAnswers(server: FastifyInstance): void {
  server.addHook('onSend', async (request, reply, payload) => {
    const { keepAnswer } = request;
    if (!keepAnswer) return payload;
    delete request.keepAnswer;
    const whole = typeof payload === 'string' || payload === null || payload === undefined;
    await keepAnswer(
      whole ? { status: reply.statusCode, headers: headersOf(reply), body: payload ?? '' } : undefined,
    );
    return payload;
  });
}

const headersOf = (reply: FastifyReply) =>
  Object.fromEntries(
    keptHeaders
      .map((name) => [name, reply.getHeader(name)] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
