import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { PageQuery, pageFrom, readCursor } from '../http/paging.js';
import { Tenant } from '../http/tenant.decorator.js';
import { ApiTokens } from './api-tokens.js';
import { After, CreatedToken, NewToken, Tokens } from './tokens.schema.js';

/** API tokens of a workspace; those of the host's own tenant are good in every workspace. */
@ApiTags('Tokens')
@Controller('v1/workspaces/:workspaceId/tokens')
export class TokensController {
  constructor(private readonly tokens: ApiTokens) {}

  @Get()
  @Allow('tokens', 'read')
  @ApiOkResponse({ standardSchema: Tokens })
  async list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) { limit, cursor }: PageQuery) {
    const rows = await this.tokens.list(tenancy, limit + 1, readCursor(After, cursor));
    return pageFrom(rows, limit, ({ id }) => id);
  }

  @Post()
  @Allow('tokens', 'create')
  @ApiCreatedResponse({ standardSchema: CreatedToken })
  create(@Tenant() tenancy: Tenancy, @Body({ schema: NewToken }) token: NewToken) {
    const { expiresAt, ...rest } = token;
    return this.tokens.create(tenancy, { ...rest, expiresAt: expiresAt ? new Date(expiresAt) : undefined });
  }

  @Delete(':tokenId')
  @Allow('tokens', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  revoke(@Tenant() tenancy: Tenancy, @Param('tokenId') id: string) {
    return this.tokens.revoke(tenancy, id);
  }
}
