import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { PageQuery } from '../../http/paging.js';
import { Tenant } from '../../http/tenant.decorator.js';
import { Orphans } from './orphans.js';
import { OrphanedWorkspaces } from './deletion.schema.js';

@ApiTags('Desk')
@Controller('v1/desk/orphaned-workspaces')
export class OrphanedWorkspacesController {
  constructor(private readonly orphans: Orphans) {}

  /** Workspaces without an owner; support schedules and cancels their deletion at `path`. */
  @Get()
  @Allow('orphaned-workspaces', 'read')
  @ApiOkResponse({ standardSchema: OrphanedWorkspaces })
  list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) page: PageQuery) {
    return this.orphans.list(tenancy, page);
  }
}
