import { Module } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Directory } from '../database/directory.js';
import { DeletionModule } from '../deletion/deletion.module.js';
import { OwnData } from '../deletion/own-data.js';
import { ExportModule } from '../export/export.module.js';
import { IdentityModule } from '../identity/identity.module.js';
import { SweepRegistry } from '../jobs/sweep-registry.js';
import { Queue } from '../jobs/queue.js';
import { MailModule } from '../mail/mail.module.js';
import { Outbox } from '../mail/outbox.js';
import { ResidencyModule } from '../residency/residency.module.js';
import { ApprovalLetters } from './letters/approval-letters.js';
import { Acceptance } from './filing/acceptance.js';
import { AcceptingRefusal } from './refusal/accepting-refusal.js';
import { AccessFulfilment } from './access/fulfilment.js';
import { AccessPackage } from './access/package.js';
import { Attempts } from './attempts.js';
import { Casework } from './desk/casework.js';
import { CaseworkController } from './desk/casework.controller.js';
import { Controllers } from './letters/controllers.js';
import { DeletionBlockers } from './deletion/blockers.js';
import { DeletionEnd } from './deletion/end.js';
import { DeletionFulfilment } from './deletion/fulfilment.js';
import { DeletionJob } from './deletion/job.js';
import { DeletionPlans } from './deletion/plans.js';
import { DeletionPlansController, OwnDeletionPlansController } from './deletion/plans.controller.js';
import { DeletionWork } from './deletion/work.js';
import { HostErasure } from './deletion/host-erasure.js';
import { LastLook } from './deletion/last-look.js';
import { Standing } from './deletion/standing.js';
import { Desk } from './desk/desk.js';
import { DeskController } from './desk/desk.controller.js';
import { EarlierMatters } from './deletion/earlier-matters.js';
import { ErasingPerson } from './deletion/erasing-person.js';
import { ErasureMemory } from './deletion/erasure-memory.js';
import { erasureRepeater } from './deletion/erasure-repeater.js';
import { ErasureRepetition } from './deletion/erasure-repetition.js';
import { Filing } from './filing/filing.js';
import { ForgettingSweep } from './forgetting.sweep.js';
import { FulfilmentSweep } from './fulfilment.sweep.js';
import { IdentityProof } from './proof/identity-proof.js';
import { IdentitySweep } from './proof/identity.sweep.js';
import { LateParts } from './filing/late-parts.js';
import { LegalClocks } from './desk/legal-clocks.js';
import { LegalNotice } from './access/legal-information.js';
import { Letters } from './letters/letters.js';
import { MailDelivery } from './letters/mail-delivery.js';
import { Notes } from './desk/notes.js';
import { OpenCopies } from './access/open-copies.js';
import { OwnRequests } from './filing/own-requests.js';
import { OwnRequestsController } from './filing/own-requests.controller.js';
import { PackageDesk } from './access/package-desk.js';
import { PackageRebuild } from './access/package-rebuild.js';
import { PartDecisions } from './desk/part-decisions.js';
import { PackageRecipient } from './access/package-recipient.js';
import { Parts } from './parts.js';
import { People } from './filing/people-of-tenant.js';
import { PreparedRefusals } from './refusal/prepared-refusals.js';
import { ProofController } from './proof/proof.controller.js';
import { ProofLinks } from './proof/links.js';
import { ProofView } from './proof/view.js';
import { ACCESS_FULFILMENT, DELETION_FULFILMENT, PACKAGE_REBUILD } from './queues.js';
import { Refusals } from './refusal/refusals.js';
import { RecipientsModule } from './recipients/recipients.module.js';
import { RegionOfTenant } from './filing/region-of-tenant.js';
import { RequestLists } from './request-lists.js';
import { RequestReading } from './request-reading.js';
import { RequestView } from './request-view.js';
import { Requests } from './requests.js';
import { Setbacks } from './setbacks.js';
import { Starts } from './starts.js';
import { Whereabouts } from './filing/whereabouts.js';
import { WorkspaceDeletionBlockers } from './workspace-deletion/blockers.js';
import { WorkspaceDeletionPlan } from './workspace-deletion/plan.js';
import { PurgeHolds } from './workspace-purge/holds.js';
import { NotedMembers } from './workspace-purge/noted-members.js';
import { Presence } from './workspace-purge/presence.js';
import { WorkspaceRequests } from './filing/workspace-requests.js';
import { WorkspaceRequestsController } from './filing/workspace-requests.controller.js';

const matters = [
  Requests,
  Parts,
  RequestView,
  RequestLists,
  RequestReading,
  OwnRequests,
  WorkspaceRequests,
  Desk,
  ProofView,
  ProofLinks,
];
const work = [
  Filing,
  IdentityProof,
  Acceptance,
  LateParts,
  Setbacks,
  Starts,
  Attempts,
  PackageRecipient,
  Casework,
  Refusals,
  PreparedRefusals,
  AcceptingRefusal,
  PartDecisions,
  Notes,
  LegalClocks,
  AccessFulfilment,
  AccessPackage,
  LegalNotice,
  PackageRebuild,
  PackageDesk,
  Letters,
  ApprovalLetters,
  MailDelivery,
];
const ownData = {
  provide: OwnData,
  inject: [Database, Outbox, EarlierMatters],
  useFactory: (database: Database, outbox: Outbox, matters: EarlierMatters) =>
    new OwnData(database, outbox, [matters]),
};
const purgeHolds = [NotedMembers, Presence, PurgeHolds];
const deletion = [
  ...purgeHolds,
  WorkspaceDeletionBlockers,
  WorkspaceDeletionPlan,
  DeletionBlockers,
  DeletionJob,
  DeletionPlans,
  DeletionFulfilment,
  DeletionWork,
  HostErasure,
  LastLook,
  Standing,
  DeletionEnd,
  ErasingPerson,
  OpenCopies,
  ErasureMemory,
  ErasureRepetition,
  erasureRepeater,
  EarlierMatters,
  ownData,
];
const knowledge = [Directory, Controllers, People, RegionOfTenant, Whereabouts];
const sweeps = [IdentitySweep, FulfilmentSweep, ForgettingSweep];

@Module({
  imports: [DeletionModule, ExportModule, IdentityModule, MailModule, RecipientsModule, ResidencyModule],
  controllers: [
    OwnRequestsController,
    WorkspaceRequestsController,
    CaseworkController,
    DeskController,
    ProofController,
    OwnDeletionPlansController,
    DeletionPlansController,
  ],
  providers: [...matters, ...work, ...deletion, ...knowledge, ...sweeps],
  exports: [
    Requests,
    Setbacks,
    Attempts,
    Casework,
    IdentityProof,
    OwnRequests,
    Filing,
    Letters,
    Notes,
    WorkspaceDeletionBlockers,
    ...purgeHolds,
    ErasureMemory,
    ErasureRepetition,
    ...knowledge,
  ],
})
export class DsarModule {
  constructor(
    queue: Queue,
    registry: SweepRegistry,
    fulfilment: AccessFulfilment,
    rebuild: PackageRebuild,
    mail: MailDelivery,
    dueRequests: FulfilmentSweep,
    identity: IdentitySweep,
    forgetting: ForgettingSweep,
    deletions: DeletionFulfilment,
  ) {
    queue.register(ACCESS_FULFILMENT, (job) => fulfilment.run(job), { concurrency: 2 });
    queue.register(DELETION_FULFILMENT, (job) => deletions.run(job), { concurrency: 2 });
    queue.register(PACKAGE_REBUILD, (job) => rebuild.run(job));
    mail.connect();
    registry.register('requests-due', () => dueRequests.access());
    registry.register('deletions-due', () => dueRequests.deletions());
    registry.register('identity', () => identity.run());
    registry.register('forgetting', () => forgetting.run());
    registry.register('outbox', () => mail.sweep());
  }
}
