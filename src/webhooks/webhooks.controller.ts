import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import { type Tenancy } from '../database/tenancy.js';
import { Allow } from '../http/allow.js';
import { PageQuery, pageFrom, readCursor } from '../http/paging.js';
import { Tenant } from '../http/tenant.decorator.js';
import { Deliveries } from './deliveries.js';
import { Endpoints } from './endpoints.js';
import {
  After,
  CreatedWebhook,
  Delivery,
  DeliveryPage,
  NewSecret,
  NewWebhook,
  RotatedSecret,
  Webhook,
  WebhookPage,
} from './webhooks.schema.js';

/** Where a workspace wants to be told what happens; those of the host's own tenant hear of every workspace. */
@ApiTags('Webhooks')
@Controller('v1/workspaces/:workspaceId/webhooks')
export class WebhooksController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
  ) {}

  @Get()
  @Allow('webhooks', 'read')
  @ApiOkResponse({ standardSchema: WebhookPage })
  async list(@Tenant() tenancy: Tenancy, @Query({ schema: PageQuery }) { limit, cursor }: PageQuery) {
    const rows = await this.endpoints.list(tenancy, limit + 1, readCursor(After, cursor));
    return pageFrom(rows, limit, ({ id }) => id);
  }

  @Post()
  @Allow('webhooks', 'create')
  @ApiCreatedResponse({ standardSchema: CreatedWebhook })
  create(@Tenant() tenancy: Tenancy, @Body({ schema: NewWebhook }) webhook: NewWebhook) {
    return this.endpoints.create(tenancy, webhook);
  }

  @Get(':webhookId')
  @Allow('webhooks', 'read')
  @ApiOkResponse({ standardSchema: Webhook })
  show(@Tenant() tenancy: Tenancy, @Param('webhookId') id: string) {
    return this.endpoints.find(tenancy, id);
  }

  @Put(':webhookId')
  @Allow('webhooks', 'change')
  @ApiOkResponse({ standardSchema: Webhook })
  change(
    @Tenant() tenancy: Tenancy,
    @Param('webhookId') id: string,
    @Body({ schema: NewWebhook }) webhook: NewWebhook,
  ) {
    return this.endpoints.change(tenancy, id, webhook);
  }

  @Delete(':webhookId')
  @Allow('webhooks', 'delete')
  @HttpCode(204)
  @ApiNoContentResponse()
  delete(@Tenant() tenancy: Tenancy, @Param('webhookId') id: string) {
    return this.endpoints.delete(tenancy, id);
  }

  /** A new secret, beside which the last one still signs for a while. */
  @Post(':webhookId/secrets')
  @Allow('webhooks', 'change')
  @ApiCreatedResponse({ standardSchema: RotatedSecret })
  rotate(
    @Tenant() tenancy: Tenancy,
    @Param('webhookId') id: string,
    @Body({ schema: NewSecret }) { overlapSeconds }: NewSecret,
  ) {
    return this.endpoints.rotate(tenancy, id, overlapSeconds * 1000);
  }

  /** Sends there again what happens from now on. */
  @Delete(':webhookId/suspension')
  @Allow('webhooks', 'change')
  @HttpCode(204)
  @ApiNoContentResponse()
  resume(@Tenant() tenancy: Tenancy, @Param('webhookId') id: string) {
    return this.endpoints.resume(tenancy, id);
  }

  @Get(':webhookId/deliveries')
  @Allow('webhooks', 'read')
  @ApiOkResponse({ standardSchema: DeliveryPage })
  async sent(
    @Tenant() tenancy: Tenancy,
    @Param('webhookId') id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
  ) {
    const rows = await this.deliveries.list(tenancy, id, limit + 1, readCursor(After, cursor));
    return pageFrom(rows, limit, (row) => row.id);
  }

  /** Sends a message again, under its own id. */
  @Post(':webhookId/deliveries/:deliveryId/attempts')
  @Allow('webhooks', 'change')
  @HttpCode(202)
  @ApiAcceptedResponse({ standardSchema: Delivery })
  again(@Tenant() tenancy: Tenancy, @Param('webhookId') id: string, @Param('deliveryId') deliveryId: string) {
    return this.deliveries.again(tenancy, id, deliveryId);
  }
}
