import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { Tenant } from '../http/tenant.decorator.js';
import { regionList } from './regions.js';
import { Residency } from './residency.js';
import { Choice, Placement, Regions } from './residency.schema.js';

@ApiTags('Residency')
@Controller('v1')
export class ResidencyController {
  constructor(private readonly residency: Residency) {}

  @Get('regions')
  @Allow('regions', 'read')
  @ApiOkResponse({ standardSchema: Regions })
  regions() {
    return { items: regionList };
  }

  @Get('workspaces/:workspaceId/residency')
  @Allow('residency', 'read')
  @ApiOkResponse({ standardSchema: Placement })
  show(@Tenant() tenancy: Tenancy) {
    return this.residency.of(tenancy);
  }

  @Put('workspaces/:workspaceId/residency')
  @Allow('residency', 'change')
  @ApiOkResponse({ standardSchema: Placement })
  choose(@Tenant() tenancy: Tenancy, @Body({ schema: Choice }) { region }: Choice) {
    return this.residency.choose(tenancy, region);
  }
}
