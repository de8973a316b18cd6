import { type FastifyRequest } from 'fastify';
import { type CallContext } from '../database/tenancy.js';

/** What the audit log may know of a call, where no guard looked at it. */
export const callContextOf = (request: FastifyRequest): CallContext => ({
  requestId: request.id,
  ip: request.ip,
  userAgent: request.headers['user-agent']?.slice(0, 512),
});
