import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { WorkspaceDeletions } from './deletions.js';
import { NewWorkspaceDeletion, WorkspaceDeletion } from './deletion.schema.js';
import { DeletionStatus } from './view.js';

/** The one door to the deletion of a whole workspace. */
@ApiTags('Deletion of a workspace')
@Controller('v1/workspaces/:workspaceId/deletion')
export class WorkspaceDeletionController {
  constructor(
    private readonly deletions: WorkspaceDeletions,
    private readonly status: DeletionStatus,
  ) {}

  /** Always 200, `none` included: ask it for the banner. */
  @Get()
  @Allow('deletion', 'read')
  @ApiOkResponse({ standardSchema: WorkspaceDeletion })
  read(@Tenant() tenancy: Tenancy, @Caller() caller: Person | ApiToken) {
    return this.status.read(tenancy, caller);
  }

  /** Mails every owner, and so is not done without end: `deletion.too_often`. */
  @Post()
  @Allow('deletion', 'create')
  @ApiCreatedResponse({ standardSchema: WorkspaceDeletion })
  async schedule(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person | ApiToken,
    @Body({ schema: NewWorkspaceDeletion }) filing: NewWorkspaceDeletion,
  ) {
    await this.deletions.schedule(tenancy, caller, filing);
    return this.status.read(tenancy, caller);
  }

  /** Any time before the purge's first irreversible step. */
  @Delete()
  @Allow('deletion', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  async cancel(@Tenant() tenancy: Tenancy, @Caller() caller: Person | ApiToken) {
    await this.deletions.cancel(tenancy, caller);
  }
}
