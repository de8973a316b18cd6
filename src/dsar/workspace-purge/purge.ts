import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type Request } from '../request.js';
import { Purge, type PurgeStep, withinPurge } from './purge-step.js';
import { PurgeStart } from './start.js';
import { PURGE_STEPS } from './steps.js';

/** The purge of a workspace whose grace is over: its start, then one step after the other (`steps.ts`). */
@Injectable()
export class WorkspacePurge {
  constructor(
    private readonly database: Database,
    private readonly start: PurgeStart,
    @Inject(PURGE_STEPS) private readonly steps: readonly PurgeStep[],
  ) {}

  /**
   * Does everything to the end.
   * @param request of scope workspace, in progress
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `datamap.drift`, `storage.*`, `ledger.*`
   */
  async run(request: Request): Promise<void> {
    const job = await withinPurge(this.database, request.tenant, (tx) => this.start.begin(tx, request));
    const purge = new Purge(this.database, request, job);
    for (const step of this.steps) await step.run(purge);
  }
}
