import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { ErasurePlans } from '../../deletion/erasure-plan.js';
import { type StepPlan } from '../../deletion/erasure.js';
import { WorkspaceMap } from '../../deletion/workspace-map.js';
import { type Part } from '../parts.js';
import { type Request } from '../request.js';

/** What the purge of a workspace would take, counted, as things are now. Nothing is kept of it. */
@Injectable()
export class WorkspaceDeletionPlan {
  private readonly plans: ErasurePlans;

  constructor(host: HostMap) {
    this.plans = new ErasurePlans(new WorkspaceMap(host));
  }

  /** @throws DomainError `datamap.drift` */
  async steps(tx: UnitOfWork, { id, tenant }: Request, parts: readonly Part[]): Promise<StepPlan[]> {
    const workspaces = parts.flatMap(({ hostKey }) => hostKey ?? []);
    const { steps } = await this.plans.plan(tx, {
      id: randomUUID(),
      tenant,
      jobId: id,
      scope: 'workspace',
      subjects: [],
      workspaces,
      pseudonyms: Object.fromEntries(workspaces.map((key) => [`workspace:${key}`, randomUUID()])),
    });
    return steps;
  }
}
