import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { PageQuery, readCursor } from '../../http/paging.js';
import { Tenant } from '../../http/tenant.decorator.js';
import { Holds } from './holds.js';
import { AfterHold, HoldAnswer, HoldList, NewHold } from './holds.schema.js';

@ApiTags('Holds')
@Controller('v1/workspaces/:workspaceId/holds')
export class HoldsController {
  constructor(private readonly holds: Holds) {}

  @Get()
  @Allow('holds', 'read')
  @ApiOkResponse({ standardSchema: HoldList })
  list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) { limit, cursor }: PageQuery) {
    return this.holds.list(tenancy, limit, readCursor(AfterHold, cursor));
  }

  @Post()
  @Allow('holds', 'create')
  @ApiCreatedResponse({ standardSchema: HoldAnswer })
  place(@Tenant() tenancy: Tenancy, @Body({ schema: NewHold }) hold: NewHold) {
    return this.holds.place(tenancy, hold);
  }

  @Delete(':holdId')
  @Allow('holds', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  async release(@Tenant() tenancy: Tenancy, @Param('holdId') id: string) {
    await this.holds.release(tenancy, id);
  }
}
