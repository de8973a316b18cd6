import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { DomainError, notFound } from '../../errors.js';
import { Queue } from '../../jobs/queue.js';
import { Sealing } from '../../keys/sealing.js';
import { type Facts, FACTS, RECIPIENT_DELIVERY, type RecipientTask, taskColumns } from './recipient.js';
import { Recipients } from './recipients.js';
import { type RecipientView } from './recipients.schema.js';

const NOTE = 'recipient.note';

const isHere = `
  select 1 from habeas.requests where id = $1
  union all select 1 from habeas.request_parts where request_id = $1 and tenant_id = $2 limit 1`;

const list = `
  select ${taskColumns} from habeas.recipient_tasks where request_id = $1 order by opened_at, recipient, tenant_id`;

const one = `
  select ${taskColumns}, note_sealed as "noteSealed" from habeas.recipient_tasks
  where tenant_id = $1 and request_id = $2 and recipient = $3`;

const done = `
  update habeas.recipient_tasks
     set status = 'done', ended_at = coalesce(ended_at, $2), next_attempt_at = null, facts_sealed = null, note_sealed = $3
   where id = $1`;

const again = `
  update habeas.recipient_tasks
     set status = case when told_at is null then 'open' else 'told' end, attempts = 0, first_attempt_at = null,
         next_attempt_at = $2, failed_at = null, due_at = greatest(due_at, $3)
   where id = $1 returning ${taskColumns}`;

/** How long one that was told is asked again, when staff have it tried again. */
const ASKED_AGAIN = 14 * 86_400_000;

type Looked = RecipientTask & { noteSealed: Buffer | null };

/** What people see of recipients and do about them, in the tenant of a part or in that of the request. */
@Injectable()
export class RecipientCasework {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly sealing: Sealing,
    private readonly queue: Queue,
    private readonly recipients: Recipients,
  ) {}

  /** Every part's for the tenant that runs the request, a part's own for any other; nothing personal. */
  list(tenancy: Tenancy, requestId: string): Promise<{ items: RecipientView[] }> {
    return this.database.within(tenancy, async (tx) => {
      if (!(await tx.one(isHere, [requestId, tx.tenant]))) throw notFound('request');
      return { items: (await tx.query<RecipientTask>(list, [requestId])).map(viewOf) };
    });
  }

  /** Whom it is about, for whoever does it by hand; a look at that is an event. @throws DomainError `recipient.not_found` */
  look(tenancy: Tenancy, requestId: string, name: string) {
    return this.database.within(tenancy, async (tx) => {
      const task = await this.find(tx, requestId, name);
      await this.recipients.tell(tx, task, 'recipient.viewed');
      const { people } = task.factsSealed
        ? this.sealing.open<Facts>(FACTS, task.factsSealed)
        : { people: [] as Facts['people'] };
      const recipient = this.host.map.recipients[name];
      return {
        ...viewOf(task),
        ...(recipient?.kind === 'manual' &&
          recipient.instructions !== undefined && { instructions: recipient.instructions }),
        people: people.map(({ kind, values }) => ({ kind, identifiers: values })),
        note: task.noteSealed && this.sealing.open<string>(NOTE, task.noteSealed),
      };
    });
  }

  /** A person's word that it is done. @throws DomainError `recipient.not_found`, `recipient.closed` */
  confirm(tenancy: Tenancy, requestId: string, name: string, note?: string): Promise<RecipientView> {
    return this.database.within(tenancy, async (tx) => {
      const task = await this.find(tx, requestId, name, 'for update');
      if (task.endedAt !== null && task.status !== 'failed')
        throw new DomainError('recipient.closed', 'There is nothing left to be done about this recipient.');
      const sealed = note === undefined ? null : this.sealing.seal(NOTE, note);
      await tx.query(done, [task.id, this.clock.now(), sealed]);
      await this.recipients.tell(tx, task, 'recipient.confirmed', { by: 'hand' });
      await this.recipients.showOnDesk(tx, task);
      return viewOf(await this.find(tx, requestId, name));
    });
  }

  /** Tells, or asks, once more and at once. @throws DomainError `recipient.not_found`, `recipient.closed` */
  retry(tenancy: Tenancy, requestId: string, name: string): Promise<RecipientView> {
    return this.database.within(tenancy, async (tx) => {
      const task = await this.find(tx, requestId, name, 'for update');
      const waits = task.nextAttemptAt !== null || task.status === 'failed';
      if (task.kind === 'manual' || !waits || !task.factsSealed)
        throw new DomainError(
          'recipient.closed',
          'Nothing can be sent any more: it was done, is done by hand, or whom it is about is forgotten. Confirm it by hand.',
        );
      const now = this.clock.now();
      const askedUntil = new Date(now.getTime() + (task.toldAt ? ASKED_AGAIN : 0));
      const retried = (await tx.one<RecipientTask>(again, [task.id, now, askedUntil])) as RecipientTask;
      await this.recipients.tell(tx, task, 'recipient.retried');
      await this.recipients.showOnDesk(tx, task);
      await this.queue.enqueue(tx, RECIPIENT_DELIVERY, { tenant: task.tenant, id: task.id });
      return viewOf(retried);
    });
  }

  private async find(tx: UnitOfWork, requestId: string, name: string, lock = ''): Promise<Looked> {
    const task = await tx.one<Looked>(`${one} ${lock}`, [tx.tenant, requestId, name]);
    if (!task) throw notFound('recipient');
    return task;
  }
}

const viewOf = (task: RecipientTask): RecipientView => ({
  name: task.recipient,
  title: task.title,
  kind: task.kind,
  ...(task.tenant !== HOST_TENANT && { workspaceId: task.tenant }),
  status: task.status,
  openedAt: task.openedAt.toISOString(),
  dueAt: task.dueAt.toISOString(),
  toldAt: iso(task.toldAt),
  endedAt: iso(task.endedAt),
  attempts: task.attempts,
  nextAttemptAt: iso(task.nextAttemptAt),
  failure: task.failure,
});

const iso = (moment: Date | null): string | null => moment?.toISOString() ?? null;
