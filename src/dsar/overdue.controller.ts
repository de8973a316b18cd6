import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { Tenant } from '../http/tenant.decorator.js';
import { OverdueWork as Answer } from './overdue.schema.js';
import { OverdueWork } from './overdue-work.js';

@ApiTags('Desk')
@Controller('v1/desk/overdue')
export class OverdueController {
  constructor(private readonly work: OverdueWork) {}

  /** The oldest thing of each kind of work that is due and not done, and the webhooks that were given up. */
  @Get()
  @Allow('desk-overdue', 'read')
  @ApiOkResponse({ standardSchema: Answer })
  look(@Tenant() tenancy: Tenancy) {
    return this.work.look(tenancy);
  }
}
