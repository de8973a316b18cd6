import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { Tenant } from '../http/tenant.decorator.js';
import { EventIntake } from './event-intake.js';
import { EventLog } from './event-log.js';
import { EventList, EventQuery, NewEvents, Recorded } from './events.schema.js';

@ApiTags('Events')
@Controller('v1/workspaces/:workspaceId/events')
export class EventsController {
  constructor(
    private readonly log: EventLog,
    private readonly intake: EventIntake,
  ) {}

  /** The log of the workspace, newest first. People are pseudonyms; what is left of their personal values is put back. */
  @Get()
  @Allow('events', 'read')
  @ApiOkResponse({ standardSchema: EventList })
  list(@Tenant() tenancy: Tenancy, @Query({ schema: EventQuery }) query: EventQuery) {
    return this.log.page(tenancy, query);
  }

  /** One event or up to a hundred; all are recorded, or none. */
  @Post()
  @Allow('events', 'create')
  @ApiCreatedResponse({ standardSchema: Recorded })
  async push(@Tenant() tenancy: Tenancy, @Body({ schema: NewEvents }) events: NewEvents) {
    const ids = await this.intake.push(tenancy, [events].flat());
    return { items: ids.map((id) => ({ id })) };
  }
}
