import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { DomainError } from '../errors.js';
import { problemOf } from './problems.js';
import { type RouteTable } from './route-table.js';

/** Answers everything thrown, by us, Nest or Fastify, as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Logger,
    private readonly routes: RouteTable,
    private readonly securityHeaders: Readonly<Record<string, string>>,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    this.answer(this.methodMissing(error, request, reply) ?? error, request, reply);
  }

  /** Also for what fails before any route is found, such as `/%ZZ`. */
  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { status, headers, body, unforeseen } = problemOf(error, request.id);
    if (unforeseen) this.log.error({ err: error, requestId: request.id, code: body.code }, 'request failed');
    request.problemCode = body.code;
    if (reply.sent) {
      // An answer that has begun cannot become a problem: cut it, so that nobody takes half for the whole.
      if (!reply.raw.writableEnded) reply.raw.destroy();
      return;
    }
    void reply
      .code(status)
      .headers({
        ...this.securityHeaders,
        'cache-control': 'no-store',
        'x-request-id': request.id,
        ...headers,
      })
      .send(JSON.stringify(body));
  }

  /** There is such an address, only not for this method: say which it takes (RFC 9110, 15.5.6). */
  private methodMissing(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): DomainError | undefined {
    if (!(error instanceof HttpException) || error.getStatus() !== 404 || !request.is404) return undefined;
    const allowed = this.routes.methodsFor(request.raw.url ?? '/');
    if (allowed.length === 0) return undefined;
    void reply.header('allow', allowed.join(', '));
    return new DomainError('route.method_not_allowed', `This address takes ${allowed.join(', ')}.`);
  }
}
