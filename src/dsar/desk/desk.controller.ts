import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { Desk } from './desk.js';
import { DeskQuery, DeskQueue } from './desk.schema.js';
import { NewDeskRequest, RequestDetail } from '../requests.schema.js';
import { RequestReading } from '../request-reading.js';

@ApiTags('Desk')
@Controller('v1/desk/requests')
export class DeskController {
  constructor(
    private readonly desk: Desk,
    private readonly reading: RequestReading,
  ) {}

  /** By due date; with what stands in the way of each. The privacy lead gets counts and dates. */
  @Get()
  @Allow('desk-requests', 'read')
  @ApiOkResponse({ standardSchema: DeskQueue })
  queue(@Tenant() tenancy: Tenancy, @Caller() staff: Person, @Query({ schema: DeskQuery }) query: DeskQuery) {
    const mayList = [...grantsOf(staff.roles, 'desk-requests', 'read').values()].includes('metadata');
    return this.desk.queue(tenancy, query, mayList);
  }

  @Post()
  @Allow('desk-requests', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async file(@Tenant() tenancy: Tenancy, @Body({ schema: NewDeskRequest }) filing: NewDeskRequest) {
    const request = await this.desk.file(tenancy, filing);
    return this.reading.ofStaff({ ...tenancy, tenant: request.tenant }, request.id);
  }
}
