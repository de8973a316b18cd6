import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Directory } from '../database/directory.js';
import { AccessGuard } from './access.guard.js';
import { Access } from './access.js';
import { ApiTokens } from './api-tokens.js';
import { AuditorsController } from './auditors.controller.js';
import { Auditors } from './auditors.js';
import { Callers } from './callers.js';
import { HostPeople } from './host-people.js';
import { SignIn } from './sign-in.js';
import { TokensController } from './tokens.controller.js';

const guard = { provide: APP_GUARD, useClass: AccessGuard };

@Module({
  controllers: [TokensController, AuditorsController],
  providers: [Directory, HostPeople, SignIn, ApiTokens, Auditors, Callers, Access, guard],
  exports: [HostPeople, ApiTokens, Auditors],
})
export class IdentityModule {}
