import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Tenant } from '../../http/tenant.decorator.js';
import { SuppressionAnswers, SuppressionCheck } from './suppressions.schema.js';
import { Suppressions } from './suppressions.js';

@ApiTags('Suppressions')
@Controller('v1/workspaces/:workspaceId/suppressions')
export class SuppressionsController {
  constructor(private readonly suppressions: Suppressions) {}

  /** Whether people about to be imported were erased before: at most a thousand a call, answered in their order. */
  @Post('check')
  @Allow('suppression-checks', 'create')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: SuppressionAnswers })
  async check(
    @Tenant() tenancy: Tenancy,
    @Body({ schema: SuppressionCheck }) { identifiers }: SuppressionCheck,
  ) {
    return { items: await this.suppressions.check(tenancy, identifiers) };
  }
}
