import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { type Sealing } from '../keys/sealing.js';
import { backOff, isOutOfPatience } from './back-off.js';
import { type MailParams, type Template } from './catalogue/params.js';
import { render } from './catalogue/render.js';
import { isMailAddress } from './mail-address.js';
import { type Handover, LONGEST_HANDOVER, type MailFailure, type MailTransport } from './transport.js';

export interface MailRef {
  tenant: string;
  id: string;
}

/** A mail that will not arrive. */
export interface Bounce extends MailRef {
  about: string | null;
  template: Template;
  failure: MailFailure;
}

export type Delivery =
  | { outcome: 'sent' }
  /** Sent already, cancelled, in another worker's hands, or not its time yet. */
  | { outcome: 'not_due' }
  | { outcome: 'postponed'; until: Date; failure: MailFailure }
  | { outcome: 'bounced'; failure: MailFailure };

export type BounceListener = (tx: UnitOfWork, bounce: Bounce) => Promise<void>;

interface OutboxRow {
  id: string;
  about: string | null;
  template: Template;
  language: string;
  recipient_sealed: Buffer;
  params_sealed: Buffer;
  attempts: number;
  first_attempt_at: Date;
  created_at: Date;
}

/** Longer than any handover takes, so that a claim outlives its worker's try but not by much. */
const CLAIM = LONGEST_HANDOVER + 3 * 60_000;

/** Carries one mail at a time from the outbox to the transport. */
export class Postman {
  private readonly bounceListeners: BounceListener[] = [];

  constructor(
    private readonly database: Database,
    private readonly sealing: Sealing,
    private readonly clock: Clock,
    private readonly transport: MailTransport,
    private readonly random: () => number,
  ) {}

  onBounce(listener: BounceListener): void {
    this.bounceListeners.push(listener);
  }

  /**
   * Tries one mail once: claims it, hands it over, marks it. The claim is a transaction of its own that moves
   * `next_attempt_at` ahead, so that no transaction stays open while a mail server takes its time and yet no
   * second worker takes the row. A worker that dies in between leaves a row that is due again after the claim
   * (5 min). Over SMTP the only way to send twice is to die between the server's "250" and the mark.
   */
  async deliver({ tenant, id }: MailRef): Promise<Delivery> {
    const tenancy = systemTenancy(tenant, 'mail');
    const row = await this.database.within(tenancy, (tx) => this.claim(tx, id));
    if (!row) return { outcome: 'not_due' };
    const handover = await this.handOver(row);
    return this.database.within(tenancy, (tx) => this.settle(tx, row, handover));
  }

  private claim(tx: UnitOfWork, id: string): Promise<OutboxRow | undefined> {
    const now = this.clock.now();
    return tx.one<OutboxRow>(claimMail, [id, now, new Date(now.getTime() + CLAIM)]);
  }

  private async handOver(row: OutboxRow): Promise<Handover> {
    try {
      const to = this.sealing.open<string>('outbox.recipient', row.recipient_sealed);
      if (!isMailAddress(to)) return { accepted: false, permanent: true, failure: 'mail.address_unusable' };
      const params = this.sealing.open<MailParams[Template]>('outbox.params', row.params_sealed);
      const letter = render(row.template, params, row.language);
      return await this.transport.send({
        ...letter,
        id: row.id,
        template: row.template,
        to,
        writtenAt: row.created_at,
      });
    } catch (error) {
      // A wrong MASTER_KEY or a letter that this version cannot write: an operator's to mend, so tried again.
      const sealed = error instanceof DomainError && error.code === 'sealing.unreadable';
      return {
        accepted: false,
        permanent: false,
        failure: sealed ? 'sealing.unreadable' : 'mail.not_composed',
      };
    }
  }

  private async settle(tx: UnitOfWork, row: OutboxRow, handover: Handover): Promise<Delivery> {
    const now = this.clock.now();
    if (handover.accepted) {
      await tx.query(closeMail, [row.id, 'sent', now, null]);
      return { outcome: 'sent' };
    }
    const { failure, permanent } = handover;
    if (permanent || isOutOfPatience(row.first_attempt_at, now)) return this.bounce(tx, row, failure);

    const until = new Date(now.getTime() + backOff(row.attempts, this.random()));
    const [postponed] = await tx.query(postponeMail, [row.id, row.attempts, until, failure]);
    return postponed ? { outcome: 'postponed', until, failure } : { outcome: 'not_due' };
  }

  private async bounce(tx: UnitOfWork, row: OutboxRow, failure: MailFailure): Promise<Delivery> {
    const [closed] = await tx.query(closeMail, [row.id, 'bounced', null, failure]);
    if (!closed) return { outcome: 'not_due' };
    const { id, about, template } = row;
    for (const listener of this.bounceListeners) {
      await listener(tx, { tenant: tx.tenant, id, about, template, failure });
    }
    return { outcome: 'bounced', failure };
  }
}

const claimMail = /* SKIP LOCKED: who comes second leaves at once, and finds the row not due when unlocked */ `
  update habeas.outbox
     set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $2), next_attempt_at = $3
   where id = (select id from habeas.outbox
                where id = $1 and status = 'pending' and next_attempt_at <= $2
                  for update skip locked)
  returning id, about, template, language, recipient_sealed, params_sealed, attempts, first_attempt_at, created_at`;

const closeMail = `
  update habeas.outbox
     set status = $2, sent_at = $3, failure = $4, recipient_sealed = null, params_sealed = null
   where id = $1 and status = 'pending'
  returning id`;

const postponeMail = /* attempts: only by the worker whose claim it still is */ `
  update habeas.outbox set next_attempt_at = $3, failure = $4
   where id = $1 and attempts = $2 and status = 'pending'
  returning id`;
