import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { type CallContext } from '../database/tenancy.js';
import { DomainError } from '../errors.js';
import { PERMISSION, type Permission, PUBLIC } from '../http/allow.js';
import '../http/request-context.js';
import { Access } from './access.js';
import { Callers } from './callers.js';
import { anonymous, principalId } from './principal.js';

/** Before every handler: who calls, in which tenant, and whether the role matrix lets them. Closed by default. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly callers: Callers,
    private readonly access: Access,
  ) {}

  async canActivate(route: ExecutionContext): Promise<boolean> {
    const request = route.switchToHttp().getRequest<FastifyRequest>();
    const right = ruleOf(route);
    if (right === 'public') {
      request.principal = anonymous;
      return true;
    }
    const caller = await this.callers.by(request.headers.authorization);
    const { workspaceId } = request.params as { workspaceId?: string };
    const context = contextOf(request);
    const { principal, tenancy } =
      workspaceId === undefined
        ? this.access.outsideWorkspaces(caller, right, context)
        : await this.access.inWorkspace(caller, right, workspaceId, context);
    request.principal = principal;
    request.principalId = principalId(principal);
    request.tenancy = tenancy;
    return true;
  }
}

/** What the handler says, else what its class says. @throws DomainError `auth.forbidden` where neither says a word */
function ruleOf(route: ExecutionContext): Permission | 'public' {
  for (const place of [route.getHandler(), route.getClass()]) {
    const right = Reflect.getMetadata(PERMISSION, place) as Permission | undefined;
    if (right) return right;
    if (Reflect.getMetadata(PUBLIC, place) === true) return 'public';
  }
  throw new DomainError('auth.forbidden', 'You may not do this.');
}

const contextOf = (request: FastifyRequest): CallContext => ({
  requestId: request.id,
  ip: request.ip,
  userAgent: request.headers['user-agent']?.slice(0, 512),
});
