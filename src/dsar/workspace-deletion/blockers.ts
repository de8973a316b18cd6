import { Inject, Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { OPEN_ACCESS, type OpenAccess } from '../../deletion/open-access.js';
import { type DeletionBlocker } from '../deletion/blockers.js';
import { type Request } from '../request.js';
import { HELD, PurgeHolds } from '../workspace-purge/holds.js';

/** What stands between a workspace's deletion and its purge, in its tenant. Nothing is remembered. */
@Injectable()
export class WorkspaceDeletionBlockers {
  constructor(
    @Inject(OPEN_ACCESS) private readonly access: OpenAccess,
    private readonly holds: PurgeHolds,
  ) {}

  /** All of them; empty once it has begun or is closed. Before the grace is over they are told, and wait for nothing. */
  async of(tx: UnitOfWork, { status }: Pick<Request, 'status'>): Promise<DeletionBlocker[]> {
    if (status !== 'scheduled') return [];
    return [...(await this.held(tx)), ...(await this.accessOpen(tx))];
  }

  private async held(tx: UnitOfWork): Promise<DeletionBlocker[]> {
    const found = await this.holds.of(tx);
    if (found.length === 0) return [];
    const disclosable = found.every((hold) => hold.disclosable);
    return [{ code: 'held', message: HELD, delays: false, disclosable }];
  }

  /** What people have asked for, and are owed, is not deleted from under their hands. */
  private async accessOpen(tx: UnitOfWork): Promise<DeletionBlocker[]> {
    const waits = (await this.access.ofWorkspace(tx)) || (await this.access.subjects(tx)).length > 0;
    if (!waits) return [];
    const message = 'A copy of data of this workspace is being put together, or has not been downloaded yet.';
    return [{ code: 'access_open', message, delays: true, disclosable: true }];
  }
}
