import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Sealing } from '../keys/sealing.js';
import { Signing } from '../keys/signing.js';
import { OBJECT_STORES, type ObjectStores } from '../storage/object-store.js';
import { HoldsController } from './holds.controller.js';
import { Holds } from './holds.js';
import { ErasureLedger } from './ledger.js';
import { LedgerDigests } from './ledger-entry.js';
import { SuppressionsController } from './suppressions.controller.js';
import { Suppressions } from './suppressions.js';

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

@Module({
  controllers: [HoldsController, SuppressionsController],
  providers: [Holds, Suppressions, ledger, digests],
  exports: [Holds, Suppressions, ErasureLedger, LedgerDigests],
})
export class DeletionModule {}
