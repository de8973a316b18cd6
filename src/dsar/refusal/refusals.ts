import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError, notFound } from '../../errors.js';
import { Packages } from '../../export/packages.js';
import { actorId } from '../../identity/actor-id.js';
import { Queue } from '../../jobs/queue.js';
import { Sealing } from '../../keys/sealing.js';
import { Controllers } from '../letters/controllers.js';
import { groundFor, type Reason } from './ground-for.js';
import { Letters } from '../letters/letters.js';
import { useDeletion } from '../filing/one-door.js';
import { type Part, Parts } from '../parts.js';
import { enqueueFulfilment } from '../queues.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

export interface Refusal extends Reason {
  /** The workspace whose part is refused; absent: the whole request. */
  part?: string;
}

/** Saying no, on a ground of the request's law: to all of it, or to the part of one workspace. */
@Injectable()
export class Refusals {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly packages: Packages,
    private readonly controllers: Controllers,
    private readonly letters: Letters,
    private readonly queue: Queue,
  ) {}

  /** Refuses the whole, or one part of it. @throws DomainError `refusal.unknown_ground`, `part.not_found`, `request.closed`, `request.use_deletion` */
  refuse(tenancy: Tenancy, id: string, refusal: Refusal): Promise<Request> {
    return this.database.within(tenancy, async (tx) =>
      this.refuseIn(tx, await this.requests.lockOpen(tx, id), refusal),
    );
  }

  private async refuseIn(
    tx: UnitOfWork,
    request: Request,
    { part: of, ...reason }: Refusal,
  ): Promise<Request> {
    if (of === undefined) return this.refuseWhole(tx, request, [reason]);
    if (request.kind === 'deletion' && request.scope === 'workspace') throw useDeletion(request.tenant);
    groundFor(request, reason.ground);
    return this.refusePart(tx, request, await this.partOf(tx, request, of), reason);
  }

  /** Refuses all of a request that the caller has locked, for all of these reasons, with one letter. @throws as `refuse` */
  async refuseWhole(tx: UnitOfWork, request: Request, reasons: readonly Reason[]): Promise<Request> {
    if (request.kind === 'deletion' && request.scope === 'workspace') throw useDeletion(request.tenant);
    for (const reason of reasons) groundFor(request, reason.ground);
    for (const reason of reasons) await this.keep(tx, request, reason);
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { grounds: [...new Set(reasons.map(({ ground }) => ground))] },
    });
    await this.packages.expire(tx, request.id);
    await this.letters.refused(tx, refused, reasons);
    return refused;
  }

  /** Writes down why; the place is a part, or one collection of a part, or all of the request. */
  async keep(
    tx: UnitOfWork,
    request: Request,
    { ground, explanation }: Reason,
    { part, collection }: { part?: string; collection?: string } = {},
  ): Promise<void> {
    await tx.query(insertRefusal, [
      tx.tenant, request.id, part ?? null, ground,
      explanation === undefined ? null : this.sealing.seal('request.refusal', explanation),
      await actorId(tx), this.clock.now(), collection ?? null,
    ]); // prettier-ignore
  }

  private async refusePart(tx: UnitOfWork, request: Request, part: Part, reason: Reason): Promise<Request> {
    await this.keep(tx, request, reason, { part: part.tenant });
    const grounds = [reason.ground];
    const by = await actorId(tx);
    const name = await tx.inTenant(part.tenant, async () => {
      await this.parts.exclude(tx, request.id, by, this.clock.now());
      return (await this.controllers.workspaceName(tx)) ?? 'the account';
    });
    await this.requests.tell(tx, request, 'part.refused', { metadata: { grounds, part: part.tenant } });
    if (part.tenant !== request.tenant)
      await this.requests.tellPart(tx, request, part.tenant, 'part.refused', { grounds });
    await this.letters.refusedParts(tx, request, [{ ...reason, part: [name] }]);
    await enqueueFulfilment(this.queue, tx, request);
    return request;
  }

  private async partOf(tx: UnitOfWork, request: Request, tenant: string): Promise<Part> {
    const part = (await this.parts.of(tx, request)).find((candidate) => candidate.tenant === tenant);
    if (!part) throw notFound('part');
    if (request.status === 'in_progress') {
      throw new DomainError(
        'part.in_progress',
        'This request is being fulfilled already: refuse it as a whole, or wait.',
      );
    }
    return part;
  }
}

const insertRefusal = `
  insert into habeas.request_refusals (tenant_id, request_id, part_tenant_id, ground, explanation_sealed, created_by,
                                       created_at, collection)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`;
