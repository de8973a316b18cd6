import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Directory } from '../../database/directory.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { DomainError } from '../../errors.js';
import { type Request } from '../request.js';
import { NotedMembers } from './noted-members.js';
import { SecondThoughts } from './second-thoughts.js';
import { Snapshots } from './snapshots.js';

/** The beginning of a purge: plan, pseudonyms, owners and members are written down together, before anything goes. */
@Injectable()
export class PurgeStart {
  constructor(
    private readonly directory: Directory,
    private readonly thoughts: SecondThoughts,
    private readonly snapshots: Snapshots,
    private readonly members: NotedMembers,
    private readonly erasures: Erasures,
    private readonly eraser: WorkspaceEraser,
  ) {}

  /**
   * The erasure that has begun for this request, else a new one.
   * @throws DomainError `datamap.drift`, and as SecondThoughts.assertNone does
   */
  async begin(tx: UnitOfWork, request: Request): Promise<ErasureJob> {
    await this.thoughts.assertNone(tx, request);
    const begun = await this.begun(tx, request);
    if (begun && (await this.erasures.isIrreversible(tx, begun.id))) return begun;
    const hostKey = (await this.directory.find(tx))?.hostKey;
    // Without its key nothing of it would be found, and nobody would notice.
    if (!hostKey)
      throw new DomainError('erasure.workspace_unknown', 'The workspace is not in the directory.');
    if (!begun) await this.snapshots.keep(tx, request, hostKey);
    // Whoever joined since is noted as well, as long as nothing has gone.
    await this.members.note(tx, hostKey);
    return begun ?? this.eraser.begin(tx, jobOf(request, hostKey));
  }

  private async begun(tx: UnitOfWork, { id }: Request): Promise<ErasureJob | undefined> {
    return this.erasures.ofJob(tx, id).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'erasure.not_found') return undefined;
      throw error;
    });
  }
}

const jobOf = (request: Request, hostKey: string): ErasureJob => ({
  id: randomUUID(),
  tenant: request.tenant,
  jobId: request.id,
  scope: 'workspace',
  subjects: [],
  workspaces: [hostKey],
  pseudonyms: { [`workspace:${hostKey}`]: randomUUID() },
});
