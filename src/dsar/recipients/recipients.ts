import { Injectable } from '@nestjs/common';
import { DateTime, Duration } from 'luxon';
import { type Action, AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { SESSIONS } from '../../datamap/recipients.js';
import { HostMap } from '../../datamap/host-map.js';
import { Queue } from '../../jobs/queue.js';
import { Sealing } from '../../keys/sealing.js';
import { type Erased, FACTS, RECIPIENT_DELIVERY, type RecipientTask } from './recipient.js';
import { type NewTask, tasksFor } from './tasks.js';

const insert = `
  insert into habeas.recipient_tasks (tenant_id, request_id, request_tenant_id, erasure_id, recipient, title, kind,
                                      facts_sealed, opened_at, due_at, next_attempt_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  on conflict (tenant_id, request_id, recipient) do nothing returning id`;

// What the mail has told already stays, whatever comes of it: only what is open is staff's.
const behind = `
  select title, status from habeas.recipient_tasks
  where request_id = $1 and status <> 'done' and (status = 'failed' or overdue_at is not null and ended_at is null)
  order by opened_at, id limit 1`;

const showOnDesk = `
  update habeas.requests set failure = $2
  where id = $1 and closed_at is not null and (failure is null or failure ->> 'code' like 'recipient.%')`;

const clearDesk = `
  update habeas.requests set failure = null
  where id = $1 and closed_at is not null and failure ->> 'code' like 'recipient.%'`;

/** Who was handed data that is erased, and is told so. What they do never stops or fails an erasure. */
@Injectable()
export class Recipients {
  constructor(
    private readonly host: HostMap,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly sealing: Sealing,
    private readonly queue: Queue,
  ) {}

  /**
   * Opens what has to be told of an erasure, in the caller's transaction: `start` when it can no longer be undone,
   * `end` when the host's rows have gone. Repeating it opens nothing twice.
   */
  async open(tx: UnitOfWork, erased: Erased, when: 'start' | 'end'): Promise<void> {
    for (const task of tasksFor(this.host.map, erased, when))
      await tx.inTenant(task.tenant, () => this.write(tx, erased, task));
  }

  /** Titles of everybody who is told about this request, each once, for the person (Art. 19, second sentence); ended sessions are no recipient. */
  async titles(tx: UnitOfWork, requestId: string): Promise<string[]> {
    const rows = await tx.query<{ title: string }>(
      'select distinct title from habeas.recipient_tasks where request_id = $1 and recipient <> $2 order by title',
      [requestId, SESSIONS],
    );
    return rows.map(({ title }) => title);
  }

  /** An event about a task in the log of its tenant. It names nobody: the log has forgotten who it was. */
  async tell(
    tx: UnitOfWork,
    {
      requestId,
      erasureId,
      recipient,
      kind,
    }: Pick<RecipientTask, 'requestId' | 'erasureId' | 'recipient' | 'kind'>,
    action: Action,
    { code, ...metadata }: { code?: string; [more: string]: unknown } = {},
  ): Promise<void> {
    await this.audit.record(tx, action, {
      targets: [
        { type: 'request', id: requestId },
        { type: 'erasure', id: erasureId },
      ],
      metadata: { recipient, kind, ...(code !== undefined && { code }), ...metadata },
      ...(code !== undefined && { outcome: 'failure' as const }),
    });
  }

  /** Puts a closed request on the desk while a recipient of it needs somebody, and takes it off when none does. */
  async showOnDesk(
    tx: UnitOfWork,
    { requestId, requestTenant }: Pick<RecipientTask, 'requestId' | 'requestTenant'>,
  ): Promise<void> {
    await tx.inTenant(requestTenant, async () => {
      const task = await tx.one<{ title: string; status: string }>(behind, [requestId]);
      if (!task) {
        await tx.query(clearDesk, [requestId]);
        return;
      }
      const failed = task.status === 'failed';
      const failure = {
        code: failed ? 'recipient.failed' : 'recipient.overdue',
        message: failed
          ? `The recipient “${task.title}” could not be told of the erasure.`
          : `“${task.title}” is overdue.`,
      };
      await tx.query(showOnDesk, [requestId, JSON.stringify(failure)]);
    });
  }

  private async write(tx: UnitOfWork, erased: Erased, { tenant, recipient, facts }: NewTask): Promise<void> {
    const now = this.clock.now();
    const byHand = recipient.kind === 'manual';
    const due = byHand ? later(now, recipient.within) : now;
    const written = await tx.one<{ id: string }>(insert, [
      tenant, erased.requestId, erased.tenant, erased.erasureId, recipient.name, recipient.title, recipient.kind,
      this.sealing.seal(FACTS, facts), now, due, byHand ? null : now,
    ]); // prettier-ignore
    if (!written) return;
    const { requestId, erasureId } = erased;
    const { name, kind } = recipient;
    await this.tell(tx, { requestId, erasureId, recipient: name, kind }, 'recipient.opened');
    if (!byHand) await this.queue.enqueue(tx, RECIPIENT_DELIVERY, { tenant, id: written.id });
  }
}

/** By the calendar, in UTC. @param period ISO 8601 */
export const later = (now: Date, period: string): Date =>
  DateTime.fromJSDate(now, { zone: 'utc' }).plus(Duration.fromISO(period)).toJSDate();
