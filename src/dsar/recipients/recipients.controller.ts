import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Tenancy } from '../../database/tenancy.js';
import { Allow } from '../../http/allow.js';
import { Caller, Tenant } from '../../http/tenant.decorator.js';
import { type Person } from '../../identity/principal.js';
import { OwnRequests } from '../filing/own-requests.js';
import { RecipientCasework } from './casework.js';
import { NewConfirmation, RecipientDetail, RecipientList, RecipientView } from './recipients.schema.js';
import { Nothing } from '../requests.schema.js';

/** Who else had the person's data, and whether they have been told that it is erased. */
@ApiTags('My requests')
@Controller('v1/me/requests/:requestId/recipients')
export class OwnRecipientsController {
  constructor(
    private readonly own: OwnRequests,
    private readonly casework: RecipientCasework,
  ) {}

  @Get()
  @Allow('own-recipients', 'read')
  @ApiOkResponse({ standardSchema: RecipientList })
  async list(@Tenant() tenancy: Tenancy, @Caller() person: Person, @Param('requestId') id: string) {
    return this.casework.list(await this.own.tenancyOf(tenancy, person, id), id);
  }
}

/** The same for the tenant of the request, or of one of its parts, with what is done by hand. */
@ApiTags('Casework')
@Controller('v1/workspaces/:workspaceId/requests/:requestId/recipients')
export class RecipientsController {
  constructor(private readonly casework: RecipientCasework) {}

  @Get()
  @Allow('recipients', 'read')
  @ApiOkResponse({ standardSchema: RecipientList })
  list(@Tenant() tenancy: Tenancy, @Param('requestId') id: string) {
    return this.casework.list(tenancy, id);
  }

  @Get(':name')
  @Allow('recipient-tasks', 'read')
  @ApiOkResponse({ standardSchema: RecipientDetail })
  look(@Tenant() tenancy: Tenancy, @Param('requestId') id: string, @Param('name') name: string) {
    return this.casework.look(tenancy, id, name);
  }

  @Post(':name/confirmations')
  @Allow('recipient-confirmations', 'create')
  @ApiCreatedResponse({ standardSchema: RecipientView })
  confirm(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Param('name') name: string,
    @Body({ schema: NewConfirmation }) { note }: NewConfirmation,
  ) {
    return this.casework.confirm(tenancy, id, name, note);
  }

  @Post(':name/attempts')
  @Allow('recipient-attempts', 'create')
  @ApiCreatedResponse({ standardSchema: RecipientView })
  retry(
    @Tenant() tenancy: Tenancy,
    @Param('requestId') id: string,
    @Param('name') name: string,
    @Body({ schema: Nothing }) _: Nothing,
  ) {
    return this.casework.retry(tenancy, id, name);
  }
}
