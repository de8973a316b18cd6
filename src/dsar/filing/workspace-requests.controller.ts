import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { PageQuery } from '../../http/paging.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { PackageDesk, readerOf } from '../access/package-desk.js';
import { RequestLists } from '../request-lists.js';
import { RequestReading } from '../request-reading.js';
import {
  NewLinkAnswer,
  NewWorkspaceRequest,
  Nothing,
  PackageDetail,
  RequestDetail,
  RequestList,
} from '../requests.schema.js';
import { WorkspaceRequests } from './workspace-requests.js';

@ApiTags('Requests of a workspace')
@Controller('v1/workspaces/:workspaceId/requests')
export class WorkspaceRequestsController {
  constructor(
    private readonly requests: WorkspaceRequests,
    private readonly lists: RequestLists,
    private readonly reading: RequestReading,
    private readonly packages: PackageDesk,
  ) {}

  @Get()
  @Allow('requests', 'read')
  @ApiOkResponse({ standardSchema: RequestList })
  list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) page: PageQuery) {
    return this.lists.ofTenant(tenancy, page);
  }

  @Post()
  @Allow('requests', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async file(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person | ApiToken,
    @Body({ schema: NewWorkspaceRequest }) filing: NewWorkspaceRequest,
  ) {
    const { id } = await this.requests.file(tenancy, caller, filing);
    return this.reading.inTenant(tenancy, id);
  }

  @Get(':requestId')
  @Allow('requests', 'read')
  @ApiOkResponse({ standardSchema: RequestDetail })
  read(@Tenant() tenancy: Tenancy, @Caller() caller: Person | ApiToken, @Param('requestId') id: string) {
    return this.reading.inTenant(tenancy, id, caller);
  }

  @Get(':requestId/package')
  @Allow('packages', 'read')
  @ApiOkResponse({ standardSchema: PackageDetail })
  package(@Tenant() tenancy: Tenancy, @Caller() caller: Person | ApiToken, @Param('requestId') id: string) {
    return this.packages.read(tenancy, id, readerOf(caller, 'packages', 'read'));
  }

  @Post(':requestId/package/links')
  @Allow('package-links', 'create')
  @ApiCreatedResponse({ standardSchema: NewLinkAnswer })
  link(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person | ApiToken,
    @Param('requestId') id: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    return this.packages.sendLink(tenancy, id, readerOf(caller, 'package-links', 'create'));
  }

  @Delete(':requestId/package/links/:linkId')
  @Allow('package-links', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person | ApiToken,
    @Param('requestId') id: string,
    @Param('linkId') link: string,
  ) {
    await this.packages.revokeLink(tenancy, id, link, readerOf(caller, 'package-links', 'delete'));
  }
}
