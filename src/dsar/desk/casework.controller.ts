import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type Person } from '../../identity/principal.js';
import { AcceptingRefusal } from '../refusal/accepting-refusal.js';
import { Casework } from './casework.js';
import { Notes } from './notes.js';
import { PartDecisions } from './part-decisions.js';
import { Refusals } from '../refusal/refusals.js';
import { RequestReading } from '../request-reading.js';
import {
  NewApproval,
  NewExtension,
  NewNote,
  NewPause,
  NewRefusal,
  NewVerification,
  NewWaiver,
  NoteList,
  Nothing,
  PartDetail,
  RequestDetail,
} from '../requests.schema.js';

/** What is done to an open request. A state change is a resource that is created or deleted, never a verb. */
@ApiTags('Casework')
@Controller('v1/workspaces/:workspaceId/requests/:requestId')
export class CaseworkController {
  constructor(
    private readonly casework: Casework,
    private readonly refusals: Refusals,
    private readonly accepting: AcceptingRefusal,
    private readonly decisions: PartDecisions,
    private readonly notebook: Notes,
    private readonly reading: RequestReading,
  ) {}

  @Post('verifications')
  @Allow('verifications', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async verify(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewVerification }) verification: NewVerification,
  ) {
    await this.casework.verify(tenancy, id, verification);
    return this.reading.inTenant(tenancy, id);
  }

  @Post('approvals')
  @Allow('approvals', 'create')
  @ApiCreatedResponse({ standardSchema: PartDetail })
  async approve(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewApproval }) { decision }: NewApproval,
  ) {
    await this.decisions.decide(tenancy, id, decision);
    return this.reading.inTenant(tenancy, id);
  }

  @Post('extensions')
  @Allow('extensions', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async extend(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewExtension }) { reason }: NewExtension,
  ) {
    await this.casework.extend(tenancy, id, reason);
    return this.reading.inTenant(tenancy, id);
  }

  @Post('pauses')
  @Allow('pauses', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async pause(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewPause }) { reason, needed }: NewPause,
  ) {
    await this.casework.pause(tenancy, id, reason, needed);
    return this.reading.inTenant(tenancy, id);
  }

  /** One pause is open at a time, so it needs no id. */
  @Delete('pauses')
  @Allow('pauses', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  async resume(@Tenant() tenancy: Tenancy, @Param('requestId') id: string) {
    await this.casework.resume(tenancy, id);
  }

  @Post('refusals')
  @Allow('refusals', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async refuse(
    @Tenant() tenancy: Tenancy,
    @Caller() caller: Person,
    @Param('requestId') id: string,
    @Body({ schema: NewRefusal }) { ground, prepared, ...more }: NewRefusal,
  ) {
    if (prepared !== undefined) await this.accepting.accept(tenancy, id, prepared);
    else if (ground !== undefined) await this.refusals.refuse(tenancy, id, { ground, ...more });
    return this.reading.inTenant(tenancy, id, caller);
  }

  @Post('withdrawals')
  @Allow('withdrawals', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async withdraw(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    await this.casework.withdrawForWorkspace(tenancy, id);
    return this.reading.inTenant(tenancy, id);
  }

  /** What the person said by letter, say: they do without their copy. */
  @Post('waivers')
  @Allow('waivers', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async waive(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewWaiver }) _: NewWaiver,
  ) {
    await this.casework.waiveAccessLock(tenancy, id);
    return this.reading.inTenant(tenancy, id);
  }

  @Get('notes')
  @Allow('notes', 'read')
  @ApiOkResponse({ standardSchema: NoteList })
  notes(@Tenant() tenancy: Tenancy, @Param('requestId') id: string) {
    return this.notebook.list(tenancy, id);
  }

  @Post('notes')
  @Allow('notes', 'create')
  @ApiCreatedResponse({ standardSchema: NoteList.shape.items.element })
  note(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: NewNote }) { text }: NewNote,
  ) {
    return this.notebook.add(tenancy, id, text);
  }

  @Post('retries')
  @Allow('retries', 'create')
  @ApiCreatedResponse({ standardSchema: RequestDetail })
  async retry(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    await this.casework.retry(tenancy, id);
    return this.reading.inTenant(tenancy, id);
  }
}
