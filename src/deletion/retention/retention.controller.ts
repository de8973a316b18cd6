import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Tenant } from '../../http/tenant.decorator.js';
import { NewRetention, PreviewAnswer, PreviewQuery, RetentionAnswer } from './retention.schema.js';
import { RetentionPreview } from './preview.js';
import { Retentions } from './retentions.js';

@ApiTags('Retention')
@Controller('v1/workspaces/:workspaceId/retention')
export class RetentionController {
  constructor(
    private readonly retentions: Retentions,
    private readonly previews: RetentionPreview,
  ) {}

  @Get()
  @Allow('retention', 'read')
  @ApiOkResponse({ standardSchema: RetentionAnswer })
  show(@Tenant() tenancy: Tenancy) {
    return this.retentions.show(tenancy);
  }

  /** Sets what is named and leaves the rest as it is. */
  @Put()
  @Allow('retention', 'change')
  @ApiOkResponse({ standardSchema: RetentionAnswer })
  change(@Tenant() tenancy: Tenancy, @Body({ schema: NewRetention }) wanted: NewRetention) {
    return this.retentions.change(tenancy, wanted);
  }

  @Get('preview')
  @Allow('retention', 'read')
  @ApiOkResponse({ standardSchema: PreviewAnswer })
  preview(@Tenant() tenancy: Tenancy, @Query({ schema: PreviewQuery }) query: PreviewQuery) {
    return this.previews.of(tenancy, query);
  }
}
