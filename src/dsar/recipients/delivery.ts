import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Recipient } from '../../datamap/map.js';
import { HostMap } from '../../datamap/host-map.js';
import { DomainError } from '../../errors.js';
import { reachOf } from '../../http/outgoing-address.js';
import { type JobRef } from '../../jobs/queue.js';
import { Sealing } from '../../keys/sealing.js';
import { backOff } from '../../mail/back-off.js';
import { type Attempted, tell, verify } from './call.js';
import { type Facts, FACTS, type RecipientTask, taskColumns } from './recipient.js';
import { later, Recipients } from './recipients.js';
import { isGivenUp } from './patience.js';

/** Longer than an attempt takes: it begins no call after three minutes, and a call times out after 15 s. */
const CLAIM = 5 * 60_000;
const LONGEST = 3 * 60_000;

const claim = /* SKIP LOCKED: who comes second leaves at once, and finds the row not due when unlocked */ `
  update habeas.recipient_tasks
     set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $2), next_attempt_at = $3
   where id = (select id from habeas.recipient_tasks
                where id = $1 and status in ('open', 'told') and next_attempt_at <= $2
                  for update skip locked)
  returning ${taskColumns}`;

// attempts: only by the worker whose claim it still is; a person may have had the last word meanwhile.
const mine = `id = $1 and attempts = $2 and status in ('open', 'told') and next_attempt_at is not null`;

const end = `
  update habeas.recipient_tasks
     set status = $3, told_at = coalesce(told_at, $4), ended_at = $4, next_attempt_at = null, failure = null,
         facts_sealed = null
   where ${mine} returning id`;

const toldOnly = `
  update habeas.recipient_tasks
     set status = 'told', told_at = $3, due_at = $4, next_attempt_at = $5, facts_sealed = $6, failure = null,
         attempts = 0, first_attempt_at = null
   where ${mine} returning id`;

const postpone = `
  update habeas.recipient_tasks set next_attempt_at = $3, failure = $4, facts_sealed = $5 where ${mine} returning id`;

const giveUp = `
  update habeas.recipient_tasks
     set status = 'failed', failure = $3, failed_at = $4, next_attempt_at = null, facts_sealed = $5
   where ${mine} returning id`;

/** Carries one message at a time to one recipient: claims it, tells or asks, marks it. */
@Injectable()
export class RecipientDelivery {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly sealing: Sealing,
    private readonly recipients: Recipients,
  ) {}

  /**
   * Tries one task once; safe to call at any time, by any number of workers. No transaction is open while the other
   * side takes its time. A worker that dies between the call and the mark leaves a task that is tried again with the
   * same id.
   */
  async deliver({ tenant, id }: JobRef): Promise<void> {
    const tenancy = systemTenancy(tenant, 'recipients');
    const now = this.clock.now();
    const task = await this.database.within(tenancy, (tx) =>
      tx.one<RecipientTask>(claim, [id, now, new Date(now.getTime() + CLAIM)]),
    );
    if (!task?.factsSealed) return;
    const recipient = this.host.map.recipients[task.recipient];
    const facts = this.factsOf(task.factsSealed);
    const attempted = await this.attempt(task, recipient, facts);
    await this.database.within(tenancy, (tx) => this.settle(tx, task, recipient, facts, attempted));
  }

  private factsOf(sealed: Buffer): Facts | DomainError {
    try {
      return this.sealing.open<Facts>(FACTS, sealed);
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  }

  private attempt(
    task: RecipientTask,
    recipient: Recipient | undefined,
    facts: Facts | DomainError,
  ): Promise<Attempted> | Attempted {
    if (facts instanceof DomainError) return { through: 0, code: facts.code };
    // Taken out of the map, or made something that a person does: somebody has to look.
    if (!recipient || recipient.kind === 'manual')
      return { through: 0, code: 'recipient.unknown', final: true };
    const { recipientSecrets: secrets } = this.config;
    const around = { reach: reachOf(this.config), secrets, at: this.clock.now(), longest: LONGEST };
    if (task.status === 'open') return tell(task, recipient, facts, around);
    return recipient.verify ? verify(task, recipient, facts, around) : { through: 0 };
  }

  private async settle(
    tx: UnitOfWork,
    task: RecipientTask,
    recipient: Recipient | undefined,
    facts: Facts | DomainError,
    attempted: Attempted,
  ): Promise<void> {
    const { code, through } = attempted;
    const sealed =
      facts instanceof DomainError ? task.factsSealed : this.sealing.seal(FACTS, { ...facts, through });
    if (code !== undefined) return this.failed(tx, task, { ...attempted, code }, sealed);
    const now = this.clock.now();
    const check = recipient && recipient.kind !== 'manual' ? recipient.verify : undefined;
    const mineIs = [task.id, task.attempts];
    if (task.status === 'open' && check) {
      const first = new Date(now.getTime() + backOff(1, Math.random()));
      const values = [...mineIs, now, later(now, check.within), first, sealed];
      if (await tx.one(toldOnly, values)) await this.recipients.tell(tx, task, 'recipient.told');
      return;
    }
    const status = task.status === 'open' ? 'told' : 'confirmed';
    if (await tx.one(end, [...mineIs, status, now]))
      await this.recipients.tell(tx, task, status === 'told' ? 'recipient.told' : 'recipient.confirmed');
  }

  private async failed(
    tx: UnitOfWork,
    task: RecipientTask,
    { code, refused = false, final = false }: Attempted & { code: string },
    sealed: Buffer | null,
  ): Promise<void> {
    const now = this.clock.now();
    if (!final && !isGivenUp(task, { refused }, now)) {
      const next = new Date(now.getTime() + backOff(task.attempts, Math.random()));
      await tx.query(postpone, [task.id, task.attempts, next, code, sealed]);
      return;
    }
    if (!(await tx.one(giveUp, [task.id, task.attempts, code, now, sealed]))) return;
    await this.recipients.tell(tx, task, 'recipient.failed', { code, attempts: task.attempts });
    await this.recipients.showOnDesk(tx, task);
  }
}
