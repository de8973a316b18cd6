import { Module } from '@nestjs/common';
import { EndpointChanges } from '../webhooks/endpoint-changes.js';
import { Webhooks } from '../webhooks/webhooks.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { EventIntake } from './event-intake.js';
import { EventLog } from './event-log.js';
import { EventsController } from './events.controller.js';
import { AuditLog } from './events.js';
import { connectWebhooks } from './webhook-events.js';

@Module({ imports: [WebhooksModule], controllers: [EventsController], providers: [EventIntake, EventLog] })
export class AuditModule {
  constructor(audit: AuditLog, webhooks: Webhooks, changes: EndpointChanges) {
    connectWebhooks(audit, webhooks, changes);
  }
}
