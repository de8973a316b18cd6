import { Controller, Get, Inject, Redirect, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { Registry } from 'prom-client';
import { Public } from './allow.js';
import { HTTP_OPTIONS, type HttpOptions } from './http-options.js';
import { ReadinessChecks } from './readiness.js';

/** For those who run the service. */
@Controller()
@Public()
@ApiExcludeController()
export class OperationsController {
  constructor(
    private readonly readiness: ReadinessChecks,
    private readonly metrics: Registry,
    @Inject(HTTP_OPTIONS) private readonly options: HttpOptions,
  ) {}

  @Get()
  @Redirect('/docs', 302)
  home(): void {
    // Until there is a console.
  }

  /** The process runs; says nothing about what it depends on. */
  @Get('healthz')
  alive() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { ok, checks } = await this.readiness.run();
    void reply.code(ok ? 200 : 503).header('cache-control', 'no-store');
    return { status: ok ? 'ready' : 'not ready', checks };
  }

  @Get('metrics')
  async measure(@Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('content-type', this.metrics.contentType);
    return this.metrics.metrics();
  }

  /** RFC 9116; it must expire, and an answer made now is good for half a year. */
  @Get('.well-known/security.txt')
  securityContact(@Res({ passthrough: true }) reply: FastifyReply) {
    const { publicUrl, mail } = this.options.config;
    void reply.header('content-type', 'text/plain; charset=utf-8');
    return [
      `Contact: mailto:${/<([^>]+)>/.exec(mail.from)?.[1] ?? mail.from}`,
      `Expires: ${new Date(Date.now() + 180 * 86_400_000).toISOString()}`,
      'Preferred-Languages: en',
      `Canonical: ${publicUrl}/.well-known/security.txt`,
      '',
    ].join('\n');
  }
}
