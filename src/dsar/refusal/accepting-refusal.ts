import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { LeavingRows } from '../../deletion/leaving-rows.js';
import { DomainError } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { Queue } from '../../jobs/queue.js';
import { Controllers } from '../letters/controllers.js';
import { DeletionJob } from '../deletion/job.js';
import { keptFor } from './kept-places.js';
import { Letters } from '../letters/letters.js';
import { Parts } from '../parts.js';
import { type PreparedReason, type PreparedRefusal, PreparedRefusals } from './prepared-refusals.js';
import { enqueueFulfilment } from '../queues.js';
import { Refusals } from './refusals.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** Staff say yes to a prepared refusal: of all of it, or so that the rest of the deletion can run around what is kept. */
@Injectable()
export class AcceptingRefusal {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly prepared: PreparedRefusals,
    private readonly refusals: Refusals,
    private readonly job: DeletionJob,
    private readonly leaving: LeavingRows,
    private readonly controllers: Controllers,
    private readonly letters: Letters,
    private readonly queue: Queue,
  ) {}

  /**
   * @param read id of the refusal as it was read
   * @throws DomainError `refusal.not_prepared`, `refusal.changed` where it says something else by now, `request.closed`
   */
  accept(tenancy: Tenancy, id: string, read: string): Promise<Request> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.lockOpen(tx, id);
      const prepared = await this.prepared.of(tx, request);
      if (!prepared)
        throw new DomainError('refusal.not_prepared', 'No refusal is prepared for this request now.');
      if (prepared.id !== read)
        throw new DomainError(
          'refusal.changed',
          'The prepared refusal says something else by now. Read it again.',
        );
      if (prepared.scope === 'full') return this.refusals.refuseWhole(tx, request, prepared.reasons);
      return this.refusePartly(tx, request, prepared);
    });
  }

  private async refusePartly(tx: UnitOfWork, request: Request, prepared: PreparedRefusal): Promise<Request> {
    const begun = await this.job.begun(tx, request);
    for (const reason of prepared.reasons) await this.keep(tx, request, reason, prepared.whole);
    if (begun) await this.leaving.leave(tx, begun, keptFor(request, placesKept(prepared)));
    for (const tenant of prepared.whole) {
      const by = await actorId(tx);
      await tx.inTenant(tenant, () => this.parts.exclude(tx, request.id, by, this.clock.now()));
      if (tenant !== request.tenant)
        await this.requests.tellPart(tx, request, tenant, 'part.refused', {
          grounds: groundsOf(
            prepared.reasons.filter(({ places }) => places.some((place) => place.tenant === tenant)),
          ),
        });
    }
    const now = await this.requests.reschedule(tx, request, {
      action: 'part.refused',
      metadata: { grounds: groundsOf(prepared.reasons) },
    });
    const refused = [];
    for (const reason of prepared.reasons)
      refused.push({ ...reason, part: await this.named(tx, reason, prepared.whole) });
    await this.letters.refusedParts(tx, request, refused);
    await enqueueFulfilment(this.queue, tx, now);
    return now;
  }

  /** A whole part is one row; of others each collection is one. */
  private async keep(
    tx: UnitOfWork,
    request: Request,
    { places, ...reason }: PreparedReason,
    whole: readonly string[],
  ): Promise<void> {
    const rows = new Map<string, { part: string; collection?: string }>();
    for (const { tenant, collection } of places) {
      const kept = whole.includes(tenant) ? {} : { collection };
      rows.set(`${tenant} ${kept.collection ?? ''}`, { part: tenant, ...kept });
    }
    for (const place of rows.values()) await this.refusals.keep(tx, request, reason, place);
  }

  /** What the letter calls it; where the person may not know, no more than that something is kept. */
  private async named(tx: UnitOfWork, reason: PreparedReason, whole: readonly string[]): Promise<string[]> {
    if (!reason.named) return ['some of the data'];
    const names: string[] = [];
    for (const [tenant, places] of Map.groupBy(reason.places, (place) => place.tenant)) {
      const workspace = await tx.inTenant(tenant, () => this.controllers.workspaceName(tx));
      const titles = places.map(
        ({ collection }) => this.host.map.collections[collection]?.title ?? collection,
      );
      if (whole.includes(tenant)) names.push(workspace ?? 'your account');
      else
        names.push(...titles.map((title) => (workspace === undefined ? title : `${title} (${workspace})`)));
    }
    return names;
  }
}

const placesKept = ({ reasons }: PreparedRefusal) =>
  reasons.flatMap(({ places, ground }) => places.map((place) => ({ ...place, ground })));
const groundsOf = (reasons: readonly PreparedReason[]) => [...new Set(reasons.map(({ ground }) => ground))];
