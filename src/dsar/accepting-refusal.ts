import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type Tenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type Kept } from '../deletion/erasure.js';
import { LeavingRows } from '../deletion/leaving-rows.js';
import { DomainError } from '../errors.js';
import { actorId } from '../identity/actor-id.js';
import { Queue } from '../jobs/queue.js';
import { Sealing } from '../keys/sealing.js';
import { Controllers } from './controllers.js';
import { DeletionJob, keptBecause } from './deletion-job.js';
import { Letters } from './letters.js';
import { Parts } from './parts.js';
import { type PreparedReason, type PreparedRefusal, PreparedRefusals } from './prepared-refusals.js';
import { enqueueFulfilment } from './queues.js';
import { insertRefusal, Refusals } from './refusals.js';
import { type Request } from './request.js';
import { Requests } from './requests.js';

/** Staff say yes to a prepared refusal: of all of it, or so that the rest of the deletion can run around what is kept. */
@Injectable()
export class AcceptingRefusal {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
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
      const [first] = prepared.reasons;
      if (prepared.scope === 'full' && first)
        return this.refusals.refuseIn(tx, request, {
          ground: first.ground,
          ...(first.explanation && { explanation: first.explanation }),
        });
      return this.refusePartly(tx, request, prepared);
    });
  }

  private async refusePartly(tx: UnitOfWork, request: Request, prepared: PreparedRefusal): Promise<Request> {
    const begun = await this.job.begun(tx, request);
    for (const reason of prepared.reasons) await this.write(tx, request, reason, prepared.whole);
    if (begun) await this.leaving.leave(tx, begun, keptIn(request, prepared));
    for (const tenant of prepared.whole) {
      const by = await actorId(tx);
      await tx.inTenant(tenant, () => this.parts.exclude(tx, request.id, by, this.clock.now()));
      if (tenant !== request.tenant)
        await this.requests.tellPart(tx, request, tenant, 'part.refused', {
          ground: prepared.reasons.find(({ places }) => places.some((place) => place.tenant === tenant))
            ?.ground,
        });
    }
    const now = await this.requests.reschedule(tx, request, {
      action: 'part.refused',
      metadata: { grounds: [...new Set(prepared.reasons.map(({ ground }) => ground))] },
    });
    for (const reason of prepared.reasons)
      await this.letters.refusedPart(
        tx,
        request,
        await this.named(tx, reason, prepared.whole),
        reason.ground,
        reason.explanation,
      );
    await enqueueFulfilment(this.queue, tx, now);
    return now;
  }

  /** A whole part is one row; of others each collection is one. */
  private async write(
    tx: UnitOfWork,
    request: Request,
    { places, ground, explanation }: PreparedReason,
    whole: readonly string[],
  ): Promise<void> {
    const by = await actorId(tx);
    const rows = new Map<string, [tenant: string, collection: string | null]>();
    for (const { tenant, collection } of places) {
      const kept = whole.includes(tenant) ? null : collection;
      rows.set(`${tenant} ${kept ?? ''}`, [tenant, kept]);
    }
    for (const [tenant, collection] of rows.values())
      await tx.query(insertRefusal, [
        tx.tenant, request.id, tenant, ground,
        explanation === undefined ? null : this.sealing.seal('request.refusal', explanation),
        by, this.clock.now(), collection,
      ]); // prettier-ignore
  }

  /** What the letter calls it; where the person may not know, no more than that something is kept. */
  private async named(tx: UnitOfWork, reason: PreparedReason, whole: readonly string[]): Promise<string> {
    if (!reason.named) return 'some of the data';
    const names: string[] = [];
    for (const [tenant, places] of Map.groupBy(reason.places, (place) => place.tenant)) {
      const workspace = await tx.inTenant(tenant, () => this.controllers.workspaceName(tx));
      const titles = places.map(
        ({ collection }) => this.host.map.collections[collection]?.title ?? collection,
      );
      if (whole.includes(tenant)) names.push(workspace ?? 'your account');
      else names.push(`${titles.join(', ')}${workspace === undefined ? '' : ` (${workspace})`}`);
    }
    return names.join('; ');
  }
}

const keptIn = (request: Request, { reasons }: PreparedRefusal): Kept[] =>
  reasons.flatMap(({ places, ground }) =>
    places.map(({ tenant: _, ...place }) => ({ ...place, ...keptBecause(request, ground) })),
  );
