import { Module } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { HostMap } from '../datamap/host-map.js';
import { SweepRegistry } from '../jobs/sweep-registry.js';
import { Sealing } from '../keys/sealing.js';
import { HostStores } from '../storage/host-stores.js';
import { OBJECT_STORES, type ObjectStore, type ObjectStores } from '../storage/object-store.js';
import { DownloadController } from './download.controller.js';
import { Downloads } from './downloads.js';
import { ExpirySweep } from './expiry.sweep.js';
import { ObjectsController } from './objects.controller.js';
import { PackageBuilder } from './package-builder.js';
import { Packages } from './packages.js';

/** The bucket that packages lie in. */
export const EXPORT_STORE = Symbol('export store');

const bucket = (stores: ObjectStores, { storage }: Config) => stores.bucket(storage.exportBucket);
type DownloadsNeed = [Database, Packages, ObjectStore, AuditLog, Clock];
type BuilderNeeds = [Database, HostMap, ObjectStore, HostStores, Sealing, Clock];
type SweepNeeds = [Database, ObjectStore, AuditLog, Clock];

@Module({
  controllers: [DownloadController, ObjectsController],
  providers: [
    { provide: EXPORT_STORE, inject: [OBJECT_STORES, CONFIG], useFactory: bucket },
    {
      provide: Packages,
      inject: [CONFIG, Clock],
      useFactory: (...its: [Config, Clock]) => new Packages(...its),
    },
    {
      provide: Downloads,
      inject: [Database, Packages, EXPORT_STORE, AuditLog, Clock],
      useFactory: (...its: DownloadsNeed) => new Downloads(...its),
    },
    {
      provide: PackageBuilder,
      inject: [Database, HostMap, EXPORT_STORE, HostStores, Sealing, Clock],
      useFactory: (...its: BuilderNeeds) => new PackageBuilder(...its),
    },
    {
      provide: ExpirySweep,
      inject: [Database, EXPORT_STORE, AuditLog, Clock],
      useFactory: (...its: SweepNeeds) => new ExpirySweep(...its),
    },
  ],
  exports: [EXPORT_STORE, Packages, PackageBuilder, Downloads, ExpirySweep],
})
export class ExportModule {
  constructor(sweeps: SweepRegistry, expiry: ExpirySweep) {
    sweeps.register('package-expiry', () => expiry.run());
  }
}
