import { Injectable } from '@nestjs/common';
import { checkpointOf, type SignedCheckpoint } from '../../audit/checkpoint.js';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { Signing } from '../../keys/signing.js';
import { LogEnd } from './log-end.js';
import { type Purge } from './purge-step.js';

/** The log of a purged workspace, which outlives it: its last event, its checkpoint, its end. */
@Injectable()
export class PurgedLog {
  constructor(
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly own: WorkspaceOwnData,
    private readonly signing: Signing,
    private readonly end: LogEnd,
  ) {}

  /** After the request's own last event; whom those name is forgotten with the rest. */
  async close(tx: UnitOfWork, { job }: Purge): Promise<{ checkpoint: SignedCheckpoint; endsAt: Date }> {
    const now = this.clock.now();
    const endsAt = await this.end.from(tx, now);
    await this.audit.record(tx, 'workspace.purged', {
      targets: [
        { type: 'workspace', id: tx.tenant },
        { type: 'erasure', id: job.id },
      ],
      metadata: { logEndsAt: endsAt.toISOString() },
    });
    await this.own.forgetRest(tx);
    const checkpoint = await checkpointOf(tx, this.signing, now);
    await tx.query('update habeas.workspace_purges set checkpoint = $2 where tenant_id = $1', [
      tx.tenant,
      JSON.stringify(checkpoint),
    ]);
    return { checkpoint, endsAt };
  }
}
