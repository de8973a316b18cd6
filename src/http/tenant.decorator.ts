import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { DomainError } from '../errors.js';
import './request-context.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>();

/** The tenancy of the call, as identity's guard found it. */
export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { tenancy } = requestOf(context);
  if (!tenancy) throw new DomainError('auth.required', 'Sign in first, or send a token.');
  return tenancy;
});

/** Who calls, as identity's guard found it. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { principal } = requestOf(context);
  if (principal === undefined) throw new DomainError('auth.required', 'Sign in first, or send a token.');
  return principal;
});
