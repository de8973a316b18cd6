import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { Caller, Tenant } from '../http/tenant.decorator.js';
import { ControllerProfiles } from './controller-profiles.js';
import { Profile } from './residency.schema.js';

@ApiTags('Controller')
@Controller('v1/workspaces/:workspaceId/controller')
export class ControllerProfileController {
  constructor(private readonly profiles: ControllerProfiles) {}

  @Get()
  @Allow('controller', 'read')
  @ApiOkResponse({ standardSchema: Profile })
  show(@Tenant() tenancy: Tenancy) {
    return this.profiles.of(tenancy);
  }

  @Put()
  @Allow('controller', 'change')
  @ApiOkResponse({ standardSchema: Profile })
  replace(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: { roles: readonly string[] },
    @Body({ schema: Profile }) profile: Profile,
  ) {
    return this.profiles.replace(tenancy, profile, caller.roles.includes('owner'));
  }
}
