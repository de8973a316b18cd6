import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { type JobRef, Queue } from '../../jobs/queue.js';
import { eachOnItsOwn, oneAfterTheOther } from '../../jobs/each-on-its-own.js';
import { KEPT_AFTER_FAILURE, RECIPIENT_DELIVERY, type RecipientTask, taskColumns } from './recipient.js';
import { Recipients } from './recipients.js';

const page = (which: string) => `
  select tenant_id as "tenant", id from habeas.recipient_tasks where ${which} and id > $2 order by id limit 500`;
const toTell = page('next_attempt_at <= $1');
const lateByHand = page(`due_at <= $1 and ended_at is null and overdue_at is null and kind = 'manual'`);
const toForget = page(`failed_at <= $1 and ended_at is null and status = 'failed'`);

const noteLate = `
  update habeas.recipient_tasks set overdue_at = $2
  where id = $1 and due_at <= $2 and ended_at is null and overdue_at is null returning ${taskColumns}`;

const forget = `
  update habeas.recipient_tasks set ended_at = $2, facts_sealed = null
  where id = $1 and failed_at <= $3 and ended_at is null and status = 'failed' returning ${taskColumns}`;

/** What recipients need in time: a lost job, a task that somebody forgot, and an end to what is kept of failed ones. */
@Injectable()
export class RecipientsSweep {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly recipients: Recipients,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    const before = new Date(now.getTime() - KEPT_AFTER_FAILURE);
    await oneAfterTheOther(
      () => this.each(toTell, now, (tx, ref) => this.queue.enqueue(tx, RECIPIENT_DELIVERY, ref)),
      () => this.each(lateByHand, now, (tx, { id }) => this.noteLate(tx, id, now)),
      () => this.each(toForget, before, (tx, { id }) => this.forget(tx, id, now, before)),
    );
  }

  /** For OverdueWatch: since when somebody has been waiting to be told. */
  async oldestDue(tx: SqlRunner): Promise<Date | null> {
    const [row] = await tx.query<{ due: Date | null }>(
      'select min(due_at) as due from habeas.recipient_tasks where ended_at is null',
    );
    return row?.due ?? null;
  }

  private async noteLate(tx: UnitOfWork, id: string, now: Date): Promise<void> {
    const task = await tx.one<RecipientTask>(noteLate, [id, now]);
    if (!task) return;
    await this.recipients.tell(tx, task, 'recipient.overdue', { code: 'recipient.overdue' });
    await this.recipients.showOnDesk(tx, task);
  }

  private async forget(tx: UnitOfWork, id: string, now: Date, before: Date): Promise<void> {
    const task = await tx.one<RecipientTask>(forget, [id, now, before]);
    if (task) await this.recipients.tell(tx, task, 'recipient.given_up');
  }

  private async each(
    sql: string,
    before: Date,
    work: (tx: UnitOfWork, ref: JobRef) => Promise<unknown>,
  ): Promise<void> {
    const due = (after: string) => this.database.asSweep((tx) => tx.query<JobRef>(sql, [before, after]));
    await eachOnItsOwn(due, (ref) => this.database.asJob(ref.tenant, 'recipients', (tx) => work(tx, ref)));
  }
}
