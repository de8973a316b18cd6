import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { PurgeRepeater } from '../../deletion/ledger/eraser.js';
import { type LedgerEntry } from '../../deletion/ledger/entry.js';
import { jobAgain } from '../../deletion/ledger/job.js';
import { ErasureMemory } from '../deletion/erasure-memory.js';
import { type Request } from '../request.js';
import { Purge, type PurgeStep, withinPurge } from './purge-step.js';
import { SecondThoughts } from './second-thoughts.js';
import { PurgeStart } from './start.js';
import { PURGE_STEPS } from './steps.js';

/** The purge of a workspace whose grace is over: its start, then one step after the other (`steps.ts`). */
@Injectable()
export class WorkspacePurge {
  constructor(
    private readonly database: Database,
    private readonly start: PurgeStart,
    @Inject(PURGE_STEPS) private readonly steps: readonly PurgeStep[],
    private readonly memory: ErasureMemory,
    private readonly repeater: PurgeRepeater,
    private readonly thoughts: SecondThoughts,
  ) {}

  /**
   * Does everything to the end.
   * @param request of scope workspace, in progress
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `datamap.drift`, `storage.*`, `ledger.*`
   */
  async run(request: Request): Promise<void> {
    const before = await this.memory.recall(request);
    await (before ? this.repeat(request, before) : this.purge(request));
  }

  /** A backup brought back what was purged and told: done once more under the same ids, and told nobody. */
  private repeat(request: Request, entry: LedgerEntry): Promise<void> {
    const nobody = () => undefined;
    return this.repeater.repeat(jobAgain(entry, nobody), entry, {
      shouldGoOn: (tx) => this.thoughts.assertNone(tx, request),
      onIrreversible: (tx) => this.thoughts.tellEnded(tx, request),
    });
  }

  private async purge(request: Request): Promise<void> {
    const job = await withinPurge(this.database, request.tenant, (tx) => this.start.begin(tx, request));
    const purge = new Purge(this.database, request, job);
    for (const step of this.steps) await step.run(purge);
  }
}
