import { Module } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Directory } from '../../database/directory.js';
import { HostMap } from '../../datamap/host-map.js';
import { DeletionModule } from '../../deletion/deletion.module.js';
import { ErasureFiles } from '../../deletion/files/erasure-files.js';
import { Erasures } from '../../deletion/erasures.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { EXPORT_STORE, ExportModule } from '../../export/export.module.js';
import { SweepRegistry } from '../../jobs/sweep-registry.js';
import { MailModule } from '../../mail/mail.module.js';
import { HostStores } from '../../storage/host-stores.js';
import { type ObjectStore } from '../../storage/object-store.js';
import { WebhooksModule } from '../../webhooks/webhooks.module.js';
import { DsarModule } from '../dsar.module.js';
import { PurgedWorkspacesSweep } from './purged.sweep.js';
import { RecipientsModule } from '../recipients/recipients.module.js';
import { LastWords } from './last-words.js';
import { LogEnd } from './log-end.js';
import { WorkspaceMatters } from './matters.js';
import { PurgeRecipients } from './recipients.js';
import { Remains } from './remains.js';
import { purgeRepeater } from './repeater.js';
import { PurgeRepetition } from './repetition.js';
import { SecondThoughts } from './second-thoughts.js';
import { Snapshots } from './snapshots.js';
import { PurgeStart } from './start.js';
import { purgeSteps, steps } from './steps.js';
import { PurgedTombstones } from './tombstones.js';
import { WorkspacePurge } from './purge.js';

type EraserNeeds = [Database, HostMap, Erasures, HostStores, Clock, Config];
const eraser = {
  provide: WorkspaceEraser,
  inject: [Database, HostMap, Erasures, HostStores, Clock, CONFIG],
  useFactory: (...[database, host, erasures, stores, clock, config]: EraserNeeds) =>
    new WorkspaceEraser({
      database,
      host,
      erasures,
      files: new ErasureFiles(database, host, stores),
      tombstoneDue: () => new Date(clock.now().getTime() + config.backupHorizon.toMillis()),
    }),
};
type OwnDataNeeds = [Database, ObjectStore, Clock, Directory, Config];
const ownData = {
  provide: WorkspaceOwnData,
  inject: [Database, EXPORT_STORE, Clock, Directory, CONFIG],
  useFactory: (...[database, store, clock, directory, config]: OwnDataNeeds) =>
    new WorkspaceOwnData(database, store, clock, directory, config.requestRetention),
};

const nouns = [
  SecondThoughts,
  Snapshots,
  WorkspaceMatters,
  PurgedTombstones,
  PurgeRecipients,
  LogEnd,
  LastWords,
  Remains,
  PurgeRepetition,
];

@Module({
  imports: [DsarModule, DeletionModule, ExportModule, MailModule, RecipientsModule, WebhooksModule],
  providers: [
    WorkspacePurge,
    PurgeStart,
    purgeSteps,
    ...steps,
    ...nouns,
    PurgedWorkspacesSweep,
    eraser,
    ownData,
    purgeRepeater,
  ],
  exports: [WorkspacePurge],
})
export class WorkspacePurgeModule {
  constructor(registry: SweepRegistry, sweep: PurgedWorkspacesSweep) {
    registry.register('purged-workspaces', () => sweep.run());
  }
}
