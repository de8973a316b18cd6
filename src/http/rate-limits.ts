import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { DomainError } from '../errors.js';

/** So many calls a minute. Counted in each instance by itself: they guard the service, they are no quota. */
export interface RateLimit {
  /** Start of the route's pattern; the first limit that fits is taken. */
  route: string;
  /** `caller`: the credential sent, else the address. `address`: the address, whatever is sent. */
  per: 'caller' | 'address';
  perMinute: number;
}

export const rateLimits: readonly RateLimit[] = [
  { route: '/d/', per: 'address', perMinute: 60 },
  { route: '/p/', per: 'address', perMinute: 60 },
  { route: '/demo/sessions', per: 'address', perMinute: 120 },
  // A host app pushes its events one call at a time.
  { route: '/v1/workspaces/:workspaceId/events', per: 'caller', perMinute: 6000 },
  { route: '', per: 'caller', perMinute: 600 },
];

/** Whatever they send along: a new credential with each call does not make a new caller. */
const ceilingPerAddress: RateLimit = { route: '', per: 'address', perMinute: 12_000 };

/** Counts before the body is read and before anybody is looked up. @throws DomainError `rate.limited` */
export async function limitRates(server: FastifyInstance, limits: readonly RateLimit[]): Promise<void> {
  await server.register(rateLimit, { global: false });
  const counters = [...limits, ceilingPerAddress].map((limit) => ({
    ...limit,
    count: server.createRateLimit({ max: limit.perMinute, timeWindow: 60_000, keyGenerator: keyFor(limit) }),
  }));
  const ceiling = counters.pop();
  server.addHook('onRequest', async (request) => {
    const pattern = request.routeOptions.url ?? '';
    const own = counters.find(({ route }) => pattern.startsWith(route));
    for (const counter of [ceiling, own]) {
      const seen = await counter?.count(request);
      if (seen && !seen.isAllowed && seen.isExceeded) throw tooMany(seen.ttlInSeconds);
    }
  });
}

const keyFor = (limit: RateLimit) => (request: FastifyRequest) => {
  const credential = limit.per === 'caller' ? request.headers.authorization : undefined;
  // The hash, so that no credential stays in memory.
  return credential ? createHash('sha256').update(credential).digest('base64') : request.ip;
};

const tooMany = (seconds: number) =>
  new DomainError('rate.limited', `Too many requests. Try again in ${seconds} seconds.`, {
    extra: { retryAfter: seconds },
  });
