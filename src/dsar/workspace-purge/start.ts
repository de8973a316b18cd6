import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Directory } from '../../database/directory.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { DomainError } from '../../errors.js';
import { Sealing } from '../../keys/sealing.js';
import { Controllers } from '../controllers.js';
import { People } from '../people-of-tenant.js';
import { PeopleLeft } from './people.js';
import { sealSnapshot, type Snapshot } from './snapshot.js';
import { type Request } from '../request.js';

// One that was given up before is forgotten: only the matter that runs now has anything to tell.
const insert = `
  insert into habeas.workspace_purges (tenant_id, request_id, told_sealed, begun_at) values ($1, $2, $3, $4)
  on conflict (tenant_id) do update
    set request_id = excluded.request_id, told_sealed = excluded.told_sealed, begun_at = excluded.begun_at
  where workspace_purges.request_id <> excluded.request_id`;

/** The first step of a purge: plan, pseudonyms, owners and members are written down together, before anything goes. */
@Injectable()
export class PurgeStart {
  constructor(
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly host: HostMap,
    private readonly directory: Directory,
    private readonly controllers: Controllers,
    private readonly people: People,
    private readonly left: PeopleLeft,
    private readonly erasures: Erasures,
    private readonly eraser: WorkspaceEraser,
  ) {}

  /** The erasure that has begun for this request, else a new one. @throws DomainError `datamap.drift` */
  async begin(tx: UnitOfWork, request: Request): Promise<ErasureJob> {
    const begun = await this.begun(tx, request);
    if (begun && (await this.erasures.isIrreversible(tx, begun.id))) return begun;
    const hostKey = (await this.directory.find(tx))?.hostKey;
    // Without its key nothing of it would be found, and nobody would notice.
    if (!hostKey)
      throw new DomainError('erasure.workspace_unknown', 'The workspace is not in the directory.');
    if (!begun) {
      const sealed = sealSnapshot(this.sealing, await this.snapshot(tx, hostKey));
      await tx.query(insert, [request.tenant, request.id, sealed, this.clock.now()]);
    }
    // Whoever joined since is noted as well, as long as nothing has gone.
    await this.left.note(tx, hostKey);
    return begun ?? this.eraser.begin(tx, jobOf(request, hostKey));
  }

  private async begun(tx: UnitOfWork, { id }: Request): Promise<ErasureJob | undefined> {
    return this.erasures.ofJob(tx, id).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'erasure.not_found') return undefined;
      throw error;
    });
  }

  private async snapshot(tx: UnitOfWork, hostKey: string): Promise<Snapshot> {
    const { name, dpo, contact } = await this.controllers.of(tx, 'workspace');
    const workspace = (await this.controllers.workspaceName(tx)) ?? tx.tenant;
    const questions = dpo ?? contact;
    const owners = await tx.asHost(async (host) => {
      const found: Snapshot['owners'] = [];
      for (const owner of await this.host.workspaces.members(host, hostKey, ['owner'])) {
        const mail = this.people.mailOf(owner);
        const { language } = await this.host.people.profile(host, owner);
        if (mail !== undefined) found.push({ mail, language });
      }
      return found;
    });
    return { workspace, controller: name, ...(questions && { contact: questions }), owners };
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
