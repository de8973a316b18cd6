import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type Tenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { Packages } from '../export/packages.js';
import { actorId } from '../identity/actor-id.js';
import { Queue } from '../jobs/queue.js';
import { Sealing } from '../keys/sealing.js';
import { Controllers } from './controllers.js';
import { groundFor } from './ground-for.js';
import { Letters } from './letters.js';
import { useDeletion } from './one-door.js';
import { type Part, Parts } from './parts.js';
import { enqueueFulfilment } from './queues.js';
import { type Request } from './request.js';
import { Requests } from './requests.js';

export interface Refusal {
  ground: string;
  /** Staff's own sentence to the person, after the ground's. */
  explanation?: string;
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

  /** The same of a request that the caller has locked. */
  async refuseIn(tx: UnitOfWork, request: Request, refusal: Refusal): Promise<Request> {
    if (request.kind === 'deletion' && request.scope === 'workspace') throw useDeletion(request.tenant);
    const ground = groundFor(request, refusal.ground);
    const part = refusal.part === undefined ? undefined : await this.partOf(tx, request, refusal.part);
    await tx.query(insertRefusal, [
      tx.tenant, request.id, part?.tenant ?? null, ground.code,
      refusal.explanation === undefined ? null : this.sealing.seal('request.refusal', refusal.explanation),
      await actorId(tx), this.clock.now(), null,
    ]); // prettier-ignore
    return part ? this.refusePart(tx, request, part, refusal) : this.refuseWhole(tx, request, refusal);
  }

  private async refuseWhole(
    tx: UnitOfWork,
    request: Request,
    { ground, explanation }: Refusal,
  ): Promise<Request> {
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { ground },
    });
    await this.packages.expire(tx, request.id);
    await this.letters.refused(tx, refused, ground, explanation);
    return refused;
  }

  private async refusePart(
    tx: UnitOfWork,
    request: Request,
    part: Part,
    { ground, explanation }: Refusal,
  ): Promise<Request> {
    const by = await actorId(tx);
    const name = await tx.inTenant(part.tenant, async () => {
      await this.parts.exclude(tx, request.id, by, this.clock.now());
      return (await this.controllers.workspaceName(tx)) ?? 'the account';
    });
    await this.requests.tell(tx, request, 'part.refused', { metadata: { ground, part: part.tenant } });
    if (part.tenant !== request.tenant)
      await this.requests.tellPart(tx, request, part.tenant, 'part.refused', { ground });
    await this.letters.refusedPart(tx, request, name, ground, explanation);
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

export const insertRefusal = `
  insert into habeas.request_refusals (tenant_id, request_id, part_tenant_id, ground, explanation_sealed, created_by,
                                       created_at, collection)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`;
