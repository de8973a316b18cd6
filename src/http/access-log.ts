import { type FastifyInstance } from 'fastify';
import { type Logger } from 'pino';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import './request-context.js';

/** A registry with what the process itself tells; other modules add theirs. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** One line and one measurement a call, by the route's pattern: the URL itself may hold a token. */
export function observeCalls(server: FastifyInstance, log: Logger, metrics: Registry): void {
  const duration = new Histogram({
    name: 'habeas_http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10],
    registers: [metrics],
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '(none)';
    const { method, problemCode, tenancy } = request;
    duration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    log.info(
      {
        requestId: request.id,
        method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(problemCode && { code: problemCode }),
        ...(tenancy && { tenant: tenancy.tenant }),
      },
      'answered',
    );
    done();
  });
}
