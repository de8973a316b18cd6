import { Injectable } from '@nestjs/common';
import { checkpointOf, type SignedCheckpoint } from '../../audit/checkpoint.js';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { Signing } from '../../keys/signing.js';
import { LogEnd } from './log-end.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { SecondThoughts } from './second-thoughts.js';

const noted = 'select checkpoint from habeas.workspace_purges where tenant_id = $1';
const note = 'update habeas.workspace_purges set checkpoint = $2, log_ends_at = $3 where tenant_id = $1';

/**
 * The log of a purged workspace, which outlives it: its last word, its checkpoint, its end. Committed before the ledger
 * is written, because the certificate there holds the checkpoint; only that the request is fulfilled comes after it.
 */
@Injectable()
export class PurgedLog implements PurgeStep {
  constructor(
    private readonly clock: Clock,
    private readonly thoughts: SecondThoughts,
    private readonly audit: AuditLog,
    private readonly own: WorkspaceOwnData,
    private readonly signing: Signing,
    private readonly end: LogEnd,
  ) {}

  /** Once, however often it is called. @throws DomainError as SecondThoughts.assertNone does */
  run(purge: Purge): Promise<void> {
    return purge.within(async (tx) => {
      await this.thoughts.assertNone(tx, purge.request);
      if (!(await this.checkpoint(tx))) await this.close(tx, purge);
    });
  }

  /** Of the log up to and with its last word; none before that. */
  async checkpoint(tx: UnitOfWork): Promise<SignedCheckpoint | undefined> {
    const row = await tx.one<{ checkpoint: SignedCheckpoint | null }>(noted, [tx.tenant]);
    return row?.checkpoint ?? undefined;
  }

  private async close(tx: UnitOfWork, { job }: Purge): Promise<void> {
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
    await tx.query(note, [tx.tenant, JSON.stringify(checkpoint), endsAt]);
  }
}
