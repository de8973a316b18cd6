import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { OverdueWork as Answer } from './overdue.schema.js';
import { OverdueWork } from './overdue-work.js';

@ApiTags('Desk')
@Controller('v1/desk/overdue')
export class OverdueController {
  constructor(private readonly work: OverdueWork) {}

  /** The oldest thing of each kind of work that is due and not done, and the webhooks that were given up. The privacy lead gets dates. */
  @Get()
  @Allow('desk-overdue', 'read')
  @ApiOkResponse({ standardSchema: Answer })
  look(@Tenant() tenancy: Tenancy, @Caller() staff: Person) {
    const mayList = [...grantsOf(staff.roles, 'desk-overdue', 'read').values()].includes('yes');
    return this.work.look(tenancy, mayList);
  }
}
