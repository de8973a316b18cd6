import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Erasures } from '../../deletion/erasures.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { type Purge } from './purge-step.js';

const logEnd = 'select log_ends_at as "logEndsAt" from habeas.workspace_purges where tenant_id = $1';
const wipeSteps = 'update habeas.erasure_steps set workspace = null where tenant_id = $1';
const wipeParts = 'update habeas.request_parts set host_key = null where tenant_id = $1';
const wipeRequest = `
  update habeas.requests set mail_sealed = null, details_sealed = null, language = null, contact_wiped_at = $2 where id = $1`;

/** What stays of a workspace once everybody has been told: ids, dates and counts, without its key. */
@Injectable()
export class Remains {
  constructor(
    private readonly clock: Clock,
    private readonly own: WorkspaceOwnData,
    private readonly erasures: Erasures,
  ) {}

  async settle(tx: UnitOfWork, { tenant, request, job }: Purge): Promise<void> {
    const now = this.clock.now();
    const purge = await tx.one<{ logEndsAt: Date }>(logEnd, [tenant]);
    await this.own.end(tx, request.id, now, purge?.logEndsAt);
    await this.erasures.wipe(tx, job.id);
    await tx.query(wipeSteps, [tenant]);
    await tx.query(wipeParts, [tenant]);
    await tx.query(wipeRequest, [request.id, now]);
  }
}
