import { Module } from '@nestjs/common';
import { OverdueWatch } from '../../jobs/overdue.js';
import { Queue } from '../../jobs/queue.js';
import { SweepRegistry } from '../../jobs/sweep-registry.js';
import { RECIPIENT_DELIVERY } from './recipient.js';
import { RecipientDelivery } from './delivery.js';
import { Recipients } from './recipients.js';
import { RecipientsSweep } from './recipients.sweep.js';

/** Telling others of erasures. Whoever erases imports it; it knows nothing of requests. */
@Module({ providers: [Recipients, RecipientDelivery, RecipientsSweep], exports: [Recipients] })
export class RecipientsModule {
  constructor(
    queue: Queue,
    registry: SweepRegistry,
    watch: OverdueWatch,
    delivery: RecipientDelivery,
    sweep: RecipientsSweep,
  ) {
    queue.register(RECIPIENT_DELIVERY, (job) => delivery.deliver(job), { concurrency: 2 });
    registry.register('recipients', () => sweep.run());
    watch.register('recipient', (tx) => sweep.oldestDue(tx));
  }
}
