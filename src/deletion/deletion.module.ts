import { Module } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { HostMap } from '../datamap/host-map.js';
import { SweepRegistry } from '../jobs/sweep-registry.js';
import { Sealing } from '../keys/sealing.js';
import { Signing } from '../keys/signing.js';
import { HostStores } from '../storage/host-stores.js';
import { OBJECT_STORES, type ObjectStores } from '../storage/object-store.js';
import { Certificates } from './certificate/certificates.js';
import { Eraser } from './eraser.js';
import { ErasureFiles } from './files/erasure-files.js';
import { ErasurePlans } from './erasure-plan.js';
import { Erasures } from './erasures.js';
import { HoldsController } from './holds/holds.controller.js';
import { Holds } from './holds/holds.js';
import { LeavingRows } from './leaving-rows.js';
import { ErasureLedger } from './ledger/ledger.js';
import { LedgerDigests } from './ledger/entry.js';
import { LeftRows } from './left-rows.js';
import { ResidueSearch } from './residue/search.js';
import { SuppressionsController } from './suppressions/suppressions.controller.js';
import { Suppressions } from './suppressions/suppressions.js';
import { TombstoneHolds } from './tombstones/holds.js';
import { TombstonesSweep } from './tombstones/tombstones.sweep.js';

const ledger = {
  provide: ErasureLedger,
  inject: [OBJECT_STORES, CONFIG, Signing],
  useFactory: (stores: ObjectStores, { storage }: Config, signing: Signing) =>
    new ErasureLedger(stores, storage.exportBucket, signing),
};
const digests = {
  provide: LedgerDigests,
  inject: [Sealing],
  useFactory: (sealing: Sealing) => new LedgerDigests(sealing),
};
const erasures = {
  provide: Erasures,
  inject: [Sealing, Clock],
  useFactory: (...its: [Sealing, Clock]) => new Erasures(...its),
};
const plans = {
  provide: ErasurePlans,
  inject: [HostMap],
  useFactory: (host: HostMap) => new ErasurePlans(host),
};
const leaving = {
  provide: LeavingRows,
  inject: [HostMap, ErasurePlans, Erasures],
  useFactory: (...its: [HostMap, ErasurePlans, Erasures]) => new LeavingRows(...its),
};
type EraserNeeds = [Database, HostMap, Erasures, ErasurePlans, HostStores, Clock, Config];
const eraser = {
  provide: Eraser,
  inject: [Database, HostMap, Erasures, ErasurePlans, HostStores, Clock, CONFIG],
  useFactory: (...[database, host, kept, planned, stores, clock, config]: EraserNeeds) =>
    new Eraser({
      database,
      host,
      plans: planned,
      erasures: kept,
      files: new ErasureFiles(database, host, stores),
      tombstoneDue: () => new Date(clock.now().getTime() + config.backupHorizon.toMillis()),
    }),
};
const certificates = {
  provide: Certificates,
  inject: [CONFIG, Signing, Erasures, OBJECT_STORES],
  useFactory: (...its: [Config, Signing, Erasures, ObjectStores]) => new Certificates(...its),
};
const leftRows = {
  provide: LeftRows,
  inject: [Database, HostMap],
  useFactory: (...its: [Database, HostMap]) => new LeftRows(...its),
};
const residues = {
  provide: ResidueSearch,
  inject: [Database, HostMap],
  useFactory: (...its: [Database, HostMap]) => new ResidueSearch(...its),
};
type TombstonesNeed = [Database, HostMap, AuditLog, Clock, Certificates, Holds];
const tombstones = {
  provide: TombstonesSweep,
  inject: [Database, HostMap, AuditLog, Clock, Certificates, Holds],
  useFactory: (...[database, host, audit, clock, issued, holds]: TombstonesNeed) =>
    new TombstonesSweep(database, host, audit, clock, {
      keeps: (...asked) => new TombstoneHolds(host, holds).keeps(...asked),
      onSwept: async (tx, erasureId) => {
        await issued.finish(tx, erasureId, clock.now());
      },
    }),
};
const work = [
  ledger,
  digests,
  erasures,
  plans,
  leaving,
  eraser,
  certificates,
  leftRows,
  residues,
  tombstones,
];

@Module({
  controllers: [HoldsController, SuppressionsController],
  providers: [Holds, Suppressions, ...work],
  exports: [Holds, Suppressions, ...work.map(({ provide }) => provide)],
})
export class DeletionModule {
  constructor(registry: SweepRegistry, sweep: TombstonesSweep) {
    registry.register('tombstones', () => sweep.run());
  }
}
