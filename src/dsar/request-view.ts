import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { HOST_TENANT } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { Erasures } from '../deletion/erasures.js';
import { Packages } from '../export/packages.js';
import { dateIn } from './law/calendar.js';
import { groundFor } from './refusal/ground-for.js';
import { DeletionBlockers, toldTo } from './deletion/blockers.js';
import { type Part, Parts, undecided } from './parts.js';
import { PreparedRefusals } from './refusal/prepared-refusals.js';
import { type Request } from './request.js';
import { isOpen } from './request-lifecycle.js';
import { Requests } from './requests.js';
import { type RequestDetail } from './requests.schema.js';
import { readTimeline } from './timeline.js';
import { WorkspaceDeletionBlockers } from './workspace-deletion/blockers.js';

/** How much of a request its reader may see; `oversight`: what it is and its dates, not whose and by whom. */
export type Reader = 'subject' | 'staff' | 'workspace' | 'oversight';

/** A request as it is told: what it is, when it is due, what stands in the way, and what happened. */
@Injectable()
export class RequestView {
  constructor(
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly packages: Packages,
    private readonly host: HostMap,
    private readonly clock: Clock,
    private readonly deletion: DeletionBlockers,
    private readonly prepared: PreparedRefusals,
    private readonly workspaceDeletion: WorkspaceDeletionBlockers,
    private readonly erasures: Erasures,
  ) {}

  /** The request in the tenant that runs it. */
  async of(tx: UnitOfWork, request: Request, reader: Reader): Promise<RequestDetail> {
    const parts = await this.parts.of(tx, request);
    const subjects = reader === 'oversight' ? [] : await this.requests.subjects(tx, request.id);
    const paused = await tx.one(
      'select 1 from habeas.request_pauses where request_id = $1 and ended_at is null',
      [request.id],
    );
    const extended = await tx.one('select 1 from habeas.request_extensions where request_id = $1', [
      request.id,
    ]);
    const prepared = reader === 'staff' ? await this.prepared.told(tx, request) : undefined;
    const mentions = reader === 'staff' ? await this.erasures.mentions(tx, request.id) : [];
    return {
      ...summaryOf(request, this.clock.now(), paused !== undefined),
      subjects: subjects.map(({ kind, key, via }) => ({ kind, key, via })),
      identity: { method: request.identityMethod, provenAt: iso(request.identityProvenAt) },
      clock: {
        ...request.clock,
        acknowledgeBy: request.acknowledgeBy,
        originalDueOn: request.originalDueOn,
        extended: extended !== undefined,
        paused: paused !== undefined,
      },
      ...(request.kind === 'deletion' && { runAfter: iso(request.runAfter) }),
      blockers: [
        ...(await this.blockers(tx, request, parts.filter(undecided).length, reader)),
        ...(await this.deletionBlockers(tx, request, parts, reader)),
      ],
      parts: parts.map((part) => ({
        scope: part.tenant === HOST_TENANT ? ('account' as const) : ('workspace' as const),
        ...(part.tenant !== HOST_TENANT && { workspaceId: part.tenant }),
        policy: part.policy,
        decision: part.decision,
        decidedAt: iso(part.decidedAt),
        status: part.status,
        outcome: part.outcome,
      })),
      refusals: await this.refusals(tx, request),
      package: await this.packageOf(tx, request),
      ...(reader === 'staff' && {
        ...(prepared && { preparedRefusal: prepared }),
        ...(mentions.length > 0 && { mentions }),
        failure: request.failure,
        attempts: request.attempts,
        nextAttemptAt: iso(request.nextAttemptAt),
      }),
      timeline: reader === 'oversight' ? [] : await readTimeline(tx, request.id, reader),
    };
  }

  /** What stands in the way right now; never what stopped a filing, because nothing does. */
  private async blockers(tx: UnitOfWork, request: Request, waiting: number, reader: Reader) {
    const found: { code: string; message: string }[] = [];
    if (!isOpen(request.status)) return found;
    if (request.status === 'verifying') {
      found.push({
        code: 'identity.unproven',
        message: 'The link that proves the address has not been used yet.',
      });
    }
    if (waiting > 0)
      found.push({
        code: 'approval.pending',
        message: `${waiting} workspace${waiting > 1 ? 's have' : ' has'} not decided yet.`,
      });
    const paused = await tx.one(
      'select 1 from habeas.request_pauses where request_id = $1 and ended_at is null',
      [request.id],
    );
    if (paused)
      found.push({ code: 'deadline.paused', message: 'The clock is stopped while identity is in doubt.' });
    const drift = this.host.problems[0];
    if (drift !== undefined) {
      const detail =
        reader === 'staff'
          ? `The data map does not fit the database: ${drift}`
          : 'The service is being adapted to a change of the database.';
      found.push({ code: 'datamap.drift', message: detail });
    }
    // What stops a deletion is named below, as far as its reader may know.
    const isNamed =
      request.failure?.code === 'deletion.held' || request.failure?.code === 'deletion.sole_owner';
    if (request.failure && request.failure.code !== 'datamap.drift' && (reader === 'staff' || !isNamed)) {
      const message =
        reader === 'staff'
          ? request.failure.message
          : 'Something went wrong on our side. It is tried again, or somebody looks after it.';
      found.push({ code: request.failure.code, message });
    }
    return found;
  }

  private async deletionBlockers(tx: UnitOfWork, request: Request, parts: Part[], reader: Reader) {
    const ofWorkspace = request.kind === 'deletion' && request.scope === 'workspace';
    const subjects = await this.requests.subjects(tx, request.id);
    const found = ofWorkspace
      ? await this.workspaceDeletion.of(tx, request)
      : await this.deletion.of(tx, request, parts, subjects);
    return toldTo(reader, found);
  }

  private async refusals(tx: UnitOfWork, request: Request) {
    const rows = await tx.query<{ ground: string; part: string | null; at: Date }>(
      'select distinct ground, part_tenant_id as "part", created_at as "at" from habeas.request_refusals where request_id = $1 order by created_at, part',
      [request.id],
    );
    return rows.map(({ ground, part, at }) => {
      const { title, text, source } = groundFor(request, ground);
      return { ground, title, text, source, part, at: at.toISOString() };
    });
  }

  private async packageOf(tx: UnitOfWork, request: Request) {
    const found = request.status === 'fulfilled' ? await this.packages.ofJob(tx, request.id) : undefined;
    return found
      ? { id: found.id, status: found.status, bytes: found.bytes, expiresAt: iso(found.expiresAt) }
      : null;
  }
}

/** What every list says of a request. */
export function summaryOf(request: Request, now: Date, paused = false) {
  const { id, kind, scope, status, outcome, channel, jurisdiction, law, dueOn, zone, tenant } = request;
  return {
    id,
    kind,
    scope,
    ...(tenant !== HOST_TENANT && { workspaceId: tenant }),
    status,
    outcome,
    channel,
    jurisdiction,
    law,
    receivedAt: request.receivedAt.toISOString(),
    filedAt: request.filedAt.toISOString(),
    dueOn,
    overdue: isOpen(status) && dueOn !== null && !paused && dateIn(zone, now) > dueOn,
    closedAt: iso(request.closedAt),
  };
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
