import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { PageQuery } from '../../http/paging.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type Person } from '../../identity/principal.js';
import { Casework } from '../desk/casework.js';
import { OwnRequests } from './own-requests.js';
import { PackageDesk } from '../access/package-desk.js';
import { RequestLists } from '../request-lists.js';
import { RequestReading } from '../request-reading.js';
import {
  NewLinkAnswer,
  NewOwnRequest,
  NewOwnVerification,
  NewWaiver,
  Nothing,
  OwnData,
  PackageDetail,
  RequestDetail,
  RequestList,
} from '../requests.schema.js';

@ApiTags('My requests')
@Controller('v1/me')
export class OwnRequestsController {
  constructor(
    private readonly own: OwnRequests,
    private readonly lists: RequestLists,
    private readonly reading: RequestReading,
    private readonly casework: Casework,
    private readonly packages: PackageDesk,
  ) {}

  @Get('requests')
  @Allow('own-requests', 'read')
  @ApiOkResponse({ standardSchema: RequestList })
  list(@Caller() person: Person, @Query({ schema: PageQuery }) page: PageQuery) {
    return this.lists.own(person.subject, page);
  }

  @Post('requests')
  @Allow('own-requests', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async file(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Body({ schema: NewOwnRequest }) filing: NewOwnRequest,
  ) {
    const request = await this.own.file(tenancy, person, filing);
    return this.reading.own({ ...tenancy, tenant: request.tenant }, request.id);
  }

  @Get('requests/:requestId')
  @Allow('own-requests', 'read')
  @ApiOkResponse({ standardSchema: RequestDetail })
  async read(@Tenant() tenancy: Tenancy, @Caller() person: Person, @Param('requestId') id: string) {
    return this.reading.own(await this.own.tenancyOf(tenancy, person, id), id);
  }

  @Post('requests/:requestId/withdrawals')
  @Allow('own-withdrawals', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async withdraw(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Param('requestId') id: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    const theirs = await this.own.tenancyOf(tenancy, person, id);
    await this.casework.withdraw(theirs, id);
    return this.reading.own(theirs, id);
  }

  @Post('requests/:requestId/waivers')
  @Allow('own-waivers', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async waive(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Param('requestId') id: string,
    @Body({ schema: NewWaiver }) _: NewWaiver,
  ) {
    const theirs = await this.own.tenancyOf(tenancy, person, id);
    await this.casework.waiveAccessLock(theirs, id);
    return this.reading.own(theirs, id);
  }

  /** One more link to the address that is kept, while identity is in question; what staff saw is theirs to record. */
  @Post('requests/:requestId/verifications')
  @Allow('own-verifications', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async verify(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Param('requestId') id: string,
    @Body({ schema: NewOwnVerification }) verification: NewOwnVerification,
  ) {
    const theirs = await this.own.tenancyOf(tenancy, person, id);
    await this.casework.verify(theirs, id, verification);
    return this.reading.own(theirs, id);
  }

  @Get('requests/:requestId/package')
  @Allow('own-packages', 'read')
  @ApiOkResponse({ standardSchema: PackageDetail })
  async package(@Tenant() tenancy: Tenancy, @Caller() person: Person, @Param('requestId') id: string) {
    return this.packages.read(await this.own.tenancyOf(tenancy, person, id), id, 'subject');
  }

  @Post('requests/:requestId/package/links')
  @Allow('own-package-links', 'create')
  @ApiCreatedResponse({ standardSchema: NewLinkAnswer })
  async link(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Param('requestId') id: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    return this.packages.sendLink(await this.own.tenancyOf(tenancy, person, id), id, 'subject');
  }

  @Delete('requests/:requestId/package/links/:linkId')
  @Allow('own-package-links', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(
    @Tenant() tenancy: Tenancy,
    @Caller() person: Person,
    @Param('requestId') id: string,
    @Param('linkId') link: string,
  ) {
    await this.packages.revokeLink(await this.own.tenancyOf(tenancy, person, id), id, link, 'subject');
  }

  @Get('data')
  @Allow('own-data', 'read')
  @ApiOkResponse({ standardSchema: OwnData })
  data(@Tenant() tenancy: Tenancy, @Caller() person: Person) {
    return this.own.data(tenancy, person);
  }
}
