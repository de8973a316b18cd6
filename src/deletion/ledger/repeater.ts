import { type Type } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Database } from '../../database/database.js';
import { Certificates } from '../certificate/certificates.js';
import { Erasures } from '../erasures.js';
import { type LedgerEraser, type LedgerEraserParts, type RepeatedMatter } from './eraser.js';
import { Suppressions } from '../suppressions/suppressions.js';

type ErasesAgain = LedgerEraserParts['eraser'];
type Needs = [Database, Erasures, ErasesAgain, Certificates, Suppressions, AuditLog, RepeatedMatter];

/** Nest's provider of what repeats one kind of erasure, under the name of its class. */
export const repeaterOf = (
  repeater: typeof LedgerEraser,
  eraserClass: Type<ErasesAgain>,
  matterClass: Type<RepeatedMatter>,
) => ({
  provide: repeater,
  inject: [Database, Erasures, eraserClass, Certificates, Suppressions, AuditLog, matterClass],
  useFactory: (...[database, erasures, eraser, certificates, suppressions, audit, matter]: Needs) =>
    new repeater({ database, erasures, eraser, certificates, suppressions, audit, matter }),
});
