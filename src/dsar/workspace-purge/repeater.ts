import { AuditLog } from '../../audit/events.js';
import { Database } from '../../database/database.js';
import { Certificates } from '../../deletion/certificates.js';
import { Erasures } from '../../deletion/erasures.js';
import { PurgeRepeater } from '../../deletion/ledger-eraser.js';
import { Suppressions } from '../../deletion/suppressions.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { PurgeRepetition } from './repetition.js';

type Needs = [Database, Erasures, WorkspaceEraser, Certificates, Suppressions, AuditLog, PurgeRepetition];

/** Repeats purges, with their requests. */
export const purgeRepeater = {
  provide: PurgeRepeater,
  inject: [Database, Erasures, WorkspaceEraser, Certificates, Suppressions, AuditLog, PurgeRepetition],
  useFactory: (...[database, erasures, eraser, certificates, suppressions, audit, matter]: Needs) =>
    new PurgeRepeater({ database, erasures, eraser, certificates, suppressions, audit, matter }),
};
