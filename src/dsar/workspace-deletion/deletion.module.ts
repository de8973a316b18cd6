import { Module } from '@nestjs/common';
import { DeletionModule } from '../../deletion/deletion.module.js';
import { ExportModule } from '../../export/export.module.js';
import { IdentityModule } from '../../identity/identity.module.js';
import { Queue } from '../../jobs/queue.js';
import { OverdueWatch } from '../../jobs/overdue.js';
import { SweepRegistry } from '../../jobs/sweep-registry.js';
import { MailModule } from '../../mail/mail.module.js';
import { WebhooksModule } from '../../webhooks/webhooks.module.js';
import { DsarModule } from '../dsar.module.js';
import { Orphans } from './orphans.js';
import { OrphanedWorkspacesController } from './orphans.controller.js';
import { CANCELLATION_LETTERS, WORKSPACE_PURGE } from '../queues.js';
import { SubscriptionRetention } from './subscription-retention.js';
import { DeletionAnnouncements } from './announcements.js';
import { CancellationLetters } from './cancellation-letters.js';
import { DeletionAuthority } from './authority.js';
import { WorkspaceDeletionController } from './deletion.controller.js';
import { WorkspaceDeletionFulfilment } from './fulfilment.js';
import { DeletionLetters } from './letters.js';
import { DeletionRecords } from './record.js';
import { oldestPurge, WorkspaceDeletionSweep } from './deletion.sweep.js';
import { WorkspaceDeletions } from './deletions.js';
import { DeletionOpening } from './opening.js';
import { DeletionStatus } from './view.js';
import { WorkspacePurgeModule } from '../workspace-purge/purge.module.js';

const door = [
  WorkspaceDeletions,
  DeletionAuthority,
  DeletionOpening,
  DeletionRecords,
  DeletionStatus,
  DeletionAnnouncements,
  DeletionLetters,
  CancellationLetters,
  SubscriptionRetention,
];

@Module({
  imports: [
    DsarModule,
    DeletionModule,
    ExportModule,
    IdentityModule,
    MailModule,
    WebhooksModule,
    WorkspacePurgeModule,
  ],
  controllers: [WorkspaceDeletionController, OrphanedWorkspacesController],
  providers: [...door, Orphans, WorkspaceDeletionFulfilment, WorkspaceDeletionSweep],
})
export class WorkspaceDeletionModule {
  constructor(
    queue: Queue,
    registry: SweepRegistry,
    fulfilment: WorkspaceDeletionFulfilment,
    sweep: WorkspaceDeletionSweep,
    letters: CancellationLetters,
    watch: OverdueWatch,
  ) {
    queue.register(WORKSPACE_PURGE, (job) => fulfilment.run(job), { concurrency: 2 });
    queue.register(CANCELLATION_LETTERS, (job) => letters.run(job));
    registry.register('purges-due', () => sweep.purges());
    registry.register('deletion-reminders', () => sweep.reminders());
    watch.register('purge', oldestPurge);
  }
}
