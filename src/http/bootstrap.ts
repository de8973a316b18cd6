import 'reflect-metadata';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance } from 'fastify';
import { createMetrics, observeCalls } from './access-log.js';
import { serveDocs } from './docs-page.js';
import { type HttpOptions } from './http-options.js';
import { HttpModule } from './http.module.js';
import { keepAnswers } from './idempotency.interceptor.js';
import { createLog, NestLog } from './log.js';
import { describeApi } from './open-api.js';
import { ProblemFilter } from './problem.filter.js';
import { limitRates, rateLimits } from './rate-limits.js';
import { RouteTable } from './route-table.js';
import { securityHeaders } from './security-headers.js';
import { createServer } from './server.js';

@Module({})
class Root {}

/**
 * The application with everything http promises, not listening yet. The same for main and for tests.
 *
 * `app.close()` stops taking connections, lets what runs finish, and then ends the modules; main calls it on a
 * signal.
 * @param module the features; whichever needs a guard brings it (APP_GUARD)
 */
export async function createApp(
  module: Type | DynamicModule,
  options: HttpOptions,
): Promise<NestFastifyApplication> {
  const { config, limits = rateLimits, trustedProxies = [] } = options;
  const log = options.log ?? createLog(config);
  const metrics = createMetrics();
  const routes = new RouteTable();
  const headers = securityHeaders(config.production);
  const filter = new ProblemFilter(log, routes, headers);

  const adapter = createServer({ log, filter, routes, headers, trustedProxies });
  const server = adapter.getInstance<FastifyInstance>();
  observeCalls(server, log, metrics);
  keepAnswers(server);
  await limitRates(server, limits);

  const root = { module: Root, imports: [HttpModule.with(options, log, metrics, filter), module] };
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class and takes plain objects
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLog(log),
    bodyParser: false,
    abortOnError: false,
  });
  serveDocs(server, () => describeApi(app));
  return app;
}
