import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { PageQuery, pageFrom, readCursor } from '../http/paging.js';
import { Tenant } from '../http/tenant.decorator.js';
import { Auditors } from './auditors.js';
import { Auditor, AuditorList, NewAuditor } from './auditors.schema.js';
import { After } from './tokens.schema.js';

@ApiTags('Auditors')
@Controller('v1/workspaces/:workspaceId/auditors')
export class AuditorsController {
  constructor(private readonly auditors: Auditors) {}

  @Get()
  @Allow('auditors', 'read')
  @ApiOkResponse({ standardSchema: AuditorList })
  async list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) { limit, cursor }: PageQuery) {
    const rows = await this.auditors.list(tenancy, limit + 1, readCursor(After, cursor));
    return pageFrom(rows, limit, ({ id }) => id);
  }

  @Post()
  @Allow('auditors', 'create')
  @ApiCreatedResponse({ standardSchema: Auditor })
  grant(@Tenant() tenancy: Tenancy, @Body({ schema: NewAuditor }) { userId, mail, expiresAt }: NewAuditor) {
    const who = mail === undefined ? { userId: userId ?? '' } : { mail };
    return this.auditors.grant(tenancy, { ...who, expiresAt: expiresAt ? new Date(expiresAt) : undefined });
  }

  @Delete(':auditorId')
  @Allow('auditors', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  revoke(@Tenant() tenancy: Tenancy, @Param('auditorId') id: string) {
    return this.auditors.revoke(tenancy, id);
  }
}
