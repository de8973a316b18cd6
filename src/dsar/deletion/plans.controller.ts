import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { DeletionPlans } from './plans.js';
import { DeletionPlan, ErasureCertificate } from './plans.schema.js';
import { OwnRequests } from '../filing/own-requests.js';

/** What a person's own deletion will do, and the proof that it did. */
@ApiTags('My requests')
@Controller('v1/me/requests/:requestId')
export class OwnDeletionPlansController {
  constructor(
    private readonly own: OwnRequests,
    private readonly plans: DeletionPlans,
  ) {}

  @Get('plan')
  @Allow('own-plans', 'read')
  @ApiOkResponse({ standardSchema: DeletionPlan })
  async plan(@Tenant() tenancy: Tenancy, @Caller() person: Person, @Param('requestId') id: string) {
    return this.plans.plan(await this.own.tenancyOf(tenancy, person, id), id, 'subject');
  }

  @Get('certificate')
  @Allow('own-certificates', 'read')
  @ApiOkResponse({ standardSchema: ErasureCertificate })
  async certificate(@Tenant() tenancy: Tenancy, @Caller() person: Person, @Param('requestId') id: string) {
    return this.plans.certificate(await this.own.tenancyOf(tenancy, person, id), id, 'subject');
  }
}

/** The same for staff, and for auditors what is proven. */
@ApiTags('Requests of a workspace')
@Controller('v1/workspaces/:workspaceId/requests/:requestId')
export class DeletionPlansController {
  constructor(private readonly plans: DeletionPlans) {}

  @Get('plan')
  @Allow('plans', 'read')
  @ApiOkResponse({ standardSchema: DeletionPlan })
  plan(@Tenant() tenancy: Tenancy, @Caller() caller: Person | ApiToken, @Param('requestId') id: string) {
    return this.plans.plan(tenancy, id, readerOf(caller, 'plans'));
  }

  @Get('certificate')
  @Allow('certificates', 'read')
  @ApiOkResponse({ standardSchema: ErasureCertificate })
  certificate(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person | ApiToken,
    @Param('requestId') id: string,
  ) {
    return this.plans.certificate(tenancy, id, readerOf(caller, 'certificates'));
  }
}

/** Owners and admins see what is about their whole workspace, others what is about anybody. */
const readerOf = ({ roles }: Person | ApiToken, resource: string) => {
  const grants = grantsOf(roles, resource, 'read');
  return grants.has('support') || grants.has('auditor') ? ('staff' as const) : ('workspace' as const);
};
