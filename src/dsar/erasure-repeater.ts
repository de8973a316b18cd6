import { AuditLog } from '../audit/events.js';
import { Database } from '../database/database.js';
import { Certificates } from '../deletion/certificates.js';
import { Eraser } from '../deletion/eraser.js';
import { Erasures } from '../deletion/erasures.js';
import { LedgerEraser } from '../deletion/ledger-eraser.js';
import { Suppressions } from '../deletion/suppressions.js';
import { ErasureRepetition } from './erasure-repetition.js';

type Needs = [Database, Erasures, Eraser, Certificates, Suppressions, AuditLog, ErasureRepetition];

/** Repeats erasures of people, with their requests. */
export const erasureRepeater = {
  provide: LedgerEraser,
  inject: [Database, Erasures, Eraser, Certificates, Suppressions, AuditLog, ErasureRepetition],
  useFactory: (...[database, erasures, eraser, certificates, suppressions, audit, matter]: Needs) =>
    new LedgerEraser({ database, erasures, eraser, certificates, suppressions, audit, matter }),
};
