import { Injectable } from '@nestjs/common';
import { Clock as TimeOfDay } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { Sealing } from '../../keys/sealing.js';
import { dateIn } from '../law/calendar.js';
import { type Clock, extendedDeadline, pausedDeadline, resumedDeadline } from '../law/legal-clock.js';
import { isLawId } from '../law/laws.js';
import { Letters } from '../letters/letters.js';
import { Parts } from '../parts.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** Moves a request's due date, the two ways a law allows: an extension, and a pause that staff create. */
@Injectable()
export class LegalClocks {
  constructor(
    private readonly time: TimeOfDay,
    private readonly sealing: Sealing,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly letters: Letters,
  ) {}

  async extend(tx: UnitOfWork, request: Request, reason: string): Promise<Request> {
    const before = await this.read(tx, request);
    const { dueOn } = extendedDeadline(before, this.today(request));
    await tx.query(
      `insert into habeas.request_extensions (request_id, tenant_id, due_on, previous_due_on, reason_sealed, created_by, created_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        request.id,
        tx.tenant,
        dueOn,
        before.dueOn,
        this.sealing.seal('request.extension', reason),
        await actorId(tx),
        this.time.now(),
      ],
    );
    const extended = await this.rewrite(tx, request, dueOn);
    await this.requests.tell(tx, extended, 'request.extended', {
      metadata: { previousDueOn: before.dueOn, dueOn },
    });
    await this.letters.extended(tx, extended, before.dueOn, dueOn, reason);
    return extended;
  }

  async pause(tx: UnitOfWork, request: Request, reason: string, needed: string): Promise<Request> {
    if (request.identityProvenAt) {
      throw new DomainError(
        'pause.identity_proven',
        'Identity is proven: there is no doubt that a pause could be for.',
      );
    }
    pausedDeadline(await this.read(tx, request), this.today(request));
    await tx.query(
      `insert into habeas.request_pauses (tenant_id, request_id, reason_sealed, started_at, created_by) values ($1, $2, $3, $4, $5)`,
      [tx.tenant, request.id, this.sealing.seal('request.pause', reason), this.time.now(), await actorId(tx)],
    );
    await this.requests.tell(tx, request, 'request.paused');
    await this.letters.paused(tx, request, reason, needed);
    return request;
  }

  async resume(tx: UnitOfWork, request: Request): Promise<Request> {
    const { dueOn } = resumedDeadline(await this.read(tx, request), this.today(request));
    await tx.query(
      'update habeas.request_pauses set ended_at = $2 where request_id = $1 and ended_at is null',
      [request.id, this.time.now()],
    );
    const resumed = await this.rewrite(tx, request, dueOn);
    await this.requests.tell(tx, resumed, 'request.resumed', {
      metadata: { previousDueOn: request.dueOn, dueOn },
    });
    return resumed;
  }

  /** Ends an open pause, if there is one: proof is what it waited for. */
  async resumeIfPaused(tx: UnitOfWork, request: Request): Promise<Request> {
    const open = await tx.one(
      'select 1 from habeas.request_pauses where request_id = $1 and ended_at is null',
      [request.id],
    );
    return open ? this.resume(tx, request) : request;
  }

  private async rewrite(tx: UnitOfWork, request: Request, dueOn: string): Promise<Request> {
    await tx.query('update habeas.requests set due_on = $2 where id = $1', [request.id, dueOn]);
    const rewritten = { ...request, dueOn };
    for (const part of await this.parts.of(tx, request)) {
      await tx.inTenant(part.tenant, () => this.parts.mirror(tx, rewritten, part.outcome));
    }
    return rewritten;
  }

  /** The clock as its rows say. @throws DomainError `deadline.not_statutory` for contractual matters */
  private async read(tx: UnitOfWork, request: Request): Promise<Clock> {
    const { law, jurisdiction, kind, dueOn, zone } = request;
    if (law === null || !isLawId(law) || jurisdiction === null || dueOn === null) {
      throw new DomainError(
        'deadline.not_statutory',
        'No statutory deadline runs for a request about a whole workspace.',
      );
    }
    const extended = await tx.one('select 1 from habeas.request_extensions where request_id = $1', [
      request.id,
    ]);
    const pauses = await tx.query<{ startedAt: Date; endedAt: Date | null }>(
      'select started_at as "startedAt", ended_at as "endedAt" from habeas.request_pauses where request_id = $1 order by started_at',
      [request.id],
    );
    const days = pauses.map(({ startedAt, endedAt }) => ({
      from: dateIn(zone, startedAt),
      until: endedAt && dateIn(zone, endedAt),
    }));
    return {
      law,
      jurisdiction,
      kind,
      receivedOn: dateIn(zone, request.receivedAt),
      dueOn,
      extended: extended !== undefined,
      pauses: days,
    };
  }

  private today({ zone }: Request): string {
    return dateIn(zone, this.time.now());
  }
}
