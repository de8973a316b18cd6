import { Module } from '@nestjs/common';
import { OverdueWatch } from '../jobs/overdue.js';
import { Queue } from '../jobs/queue.js';
import { SweepRegistry } from '../jobs/sweep-registry.js';
import { Courier } from './courier.js';
import { Deliveries } from './deliveries.js';
import { DeliveriesSweep } from './deliveries.sweep.js';
import { EndpointChanges } from './endpoint-changes.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import { Endpoints } from './endpoints.js';
import { WebhooksController } from './webhooks.controller.js';
import { WEBHOOK_DELIVERY, Webhooks } from './webhooks.js';

/** Endpoints that are served at once; of one tenant fewer (Courier), so that it takes four slow tenants to make others wait. */
const AT_ONCE = 8;

@Module({
  controllers: [WebhooksController],
  providers: [Webhooks, Endpoints, EndpointSecrets, EndpointChanges, Deliveries, DeliveriesSweep, Courier],
  exports: [Webhooks, EndpointChanges],
})
export class WebhooksModule {
  constructor(
    queue: Queue,
    sweeps: SweepRegistry,
    watch: OverdueWatch,
    courier: Courier,
    due: DeliveriesSweep,
  ) {
    queue.register(WEBHOOK_DELIVERY, (job) => courier.run(job), {
      concurrency: AT_ONCE,
      whileRunning: 'queue',
    });
    sweeps.register('webhooks', () => due.run());
    watch.register('webhook', (tx, now) => due.oldestDue(tx, now));
  }
}
