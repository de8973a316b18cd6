import { Injectable } from '@nestjs/common';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { titleIn } from '../../datamap/map.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { Certificates } from '../../deletion/certificate/certificates.js';
import { ErasurePlans } from '../../deletion/erasure-plan.js';
import { type ErasureJob, type StepPlan } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { sharedApart } from '../../deletion/hindrance/shared-rows.js';
import { DomainError, notFound } from '../../errors.js';
import { DeletionBlockers, toldTo } from './blockers.js';
import { DeletionJob } from './job.js';
import { Parts, takesPart, undecided } from '../parts.js';
import { type Request } from '../request.js';
import { type Reader } from '../request-view.js';
import { Requests } from '../requests.js';
import { WorkspaceDeletionBlockers } from '../workspace-deletion/blockers.js';
import { WorkspaceDeletionPlan } from '../workspace-deletion/plan.js';

/** What a deletion will do, and the proof that it did. */
@Injectable()
export class DeletionPlans {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly blockers: DeletionBlockers,
    private readonly job: DeletionJob,
    private readonly plans: ErasurePlans,
    private readonly erasures: Erasures,
    private readonly certificates: Certificates,
    private readonly workspacePlan: WorkspaceDeletionPlan,
    private readonly workspaceBlockers: WorkspaceDeletionBlockers,
  ) {}

  /**
   * Per part and collection what there is and what becomes of it, as things are now; nothing while nobody has proven
   * whose data it is. @throws DomainError `plan.not_found` for what is no deletion, `datamap.drift`
   */
  plan(tenancy: Tenancy, id: string, reader: Reader) {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.allowed(tx, id, reader, 'plan');
      const parts = await this.parts.of(tx, request);
      const subjects = await this.requests.subjects(tx, id);
      const ofWorkspace = request.scope === 'workspace';
      const found = ofWorkspace
        ? await this.workspaceBlockers.of(tx, request)
        : await this.blockers.of(tx, request, parts, subjects);
      const steps = subjects.length === 0 && !ofWorkspace ? [] : await this.steps(tx, request);
      const byPlace = Map.groupBy(steps, ({ workspace }) => workspace);
      return {
        requestId: id,
        status: request.status,
        runAfter: request.runAfter?.toISOString() ?? null,
        blockers: toldTo(reader, found),
        parts: [...byPlace].map(([workspace, theirs]) => ({
          scope: workspace === undefined ? ('account' as const) : ('workspace' as const),
          ...(workspace !== undefined && { workspaceId: workspaceId(workspace) }),
          collections: theirs.flatMap(sharedApart).map((step) => this.told(request, step)),
        })),
        // A copy is only to be had while there is something to copy.
        offer:
          request.status === 'scheduled' || request.status === 'received'
            ? {
                kind: 'access' as const,
                scope: request.scope,
                ...(request.scope !== 'account' && { workspaceId: request.tenant }),
              }
            : null,
      };
    });
  }

  /** @throws DomainError `certificate.not_found`, also while there is none yet */
  certificate(tenancy: Tenancy, id: string, reader: Reader) {
    return this.database.within(tenancy, async (tx) => {
      await this.allowed(tx, id, reader, 'certificate');
      return this.certificates.ofJob(tx, id);
    });
  }

  private async allowed(tx: UnitOfWork, id: string, reader: Reader, what: string): Promise<Request> {
    const request = await this.requests.find(tx, id);
    if (reader === 'workspace' && request.scope !== 'workspace')
      throw new DomainError('auth.forbidden', 'Only the person sees what becomes of their own data.');
    if (request.kind !== 'deletion') throw notFound(what);
    return request;
  }

  /** What was planned, once it has begun; else what would be. */
  private async steps(tx: UnitOfWork, request: Request): Promise<StepPlan[]> {
    const kept = await tx.one<Pick<ErasureJob, 'id'>>(
      'select id from habeas.erasures where tenant_id = $1 and job_id = $2',
      [tx.tenant, request.id],
    );
    if (kept) return this.erasures.outcomes(tx, kept.id);
    const parts = await this.parts.of(tx, request);
    if (request.scope === 'workspace') return this.workspacePlan.steps(tx, request, parts);
    const draft = await this.job.draft(
      tx,
      request,
      parts.filter((part) => takesPart(part) || undecided(part)),
    );
    return (await this.plans.plan(tx, draft)).steps;
  }

  private told({ scope }: Request, step: StepPlan) {
    const { collection, controller, rule, ground, until, rows, files } = step;
    return {
      collection,
      title: titleIn(this.host.map, collection, scope),
      controller,
      rule,
      ...(ground && { ground }),
      ...(until && { until }),
      rows,
      files,
    };
  }
}
