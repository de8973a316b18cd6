import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { type Sealing } from '../keys/sealing.js';
import { languageFor } from './catalogue/catalogue.js';
import { type MailParams, type Template } from './catalogue/params.js';
import { type BounceListener, type Delivery, type MailRef, Postman } from './postman.js';
import { isNobodys } from './mail-address.js';
import { type MailTransport } from './transport.js';

export interface NewMail<T extends Template> {
  template: T;
  to: string;
  /** The reader's language as the host has it; unusable values are English. */
  language?: string | null;
  params: MailParams[T];
  /** Of one key there is one mail in a tenant, however often a step runs. It may name the reader: a keyed hash is kept. */
  dedupeKey?: string;
  /** The request or package it is about; `cancel` and bounces go by it. */
  about?: string;
}

type QueuedListener = (tx: UnitOfWork, mail: MailRef) => Promise<void>;
const PAGE = 500;

/** Mails on their way: written in the transaction of what they tell of, sent later, wiped when sent (invariants 6, 10). */
export class Outbox {
  private readonly queuedListeners: QueuedListener[] = [];
  private readonly postman: Postman;

  constructor(
    private readonly database: Database,
    private readonly sealing: Sealing,
    private readonly clock: Clock,
    transport: MailTransport,
    random: () => number = Math.random,
  ) {
    this.postman = new Postman(database, sealing, clock, transport, random);
  }

  /** Upper layers enqueue the delivery here; runs in the transaction that writes the mail. */
  onQueued(listener: QueuedListener): void {
    this.queuedListeners.push(listener);
  }

  /** Upper layers put the matter on the desk here; runs in the transaction that gives the mail up. */
  onBounce(listener: BounceListener): void {
    this.postman.onBounce(listener);
  }

  /**
   * Writes a mail in the caller's transaction, in the tenant that it is in. An address that cannot be one is no
   * error here but a bounce later: a mail never fails the request that it tells of.
   * Nothing is written to whoever has been erased.
   * @returns the mail's id; of the first one if `dedupeKey` is taken; the nil uuid where nothing is written
   */
  async send<T extends Template>(tx: UnitOfWork, mail: NewMail<T>): Promise<string> {
    if (isNobodys(mail.to)) return NIL;
    const once = mail.dedupeKey === undefined ? null : this.sealing.digest('outbox.once', mail.dedupeKey);
    const dedupeKey = once?.toString('base64url') ?? null;
    const written = await tx.one<{ id: string }>(insertMail, [
      tx.tenant,
      mail.about ?? null,
      mail.template,
      // The matched tag only: a host's language column may hold anything, and this one is not sealed.
      languageFor(mail.language).locale,
      this.sealing.seal('outbox.recipient', mail.to),
      this.sealing.seal('outbox.params', mail.params),
      dedupeKey,
      this.clock.now(),
    ]);
    if (!written) return this.idOfFirst(tx, dedupeKey);
    for (const listener of this.queuedListeners) await listener(tx, { tenant: tx.tenant, id: written.id });
    return written.id;
  }

  /**
   * Takes back what has not been sent about a matter, and wipes it. A mail that is being handed over at this
   * moment may still arrive.
   * @returns how many
   */
  async cancel(tx: UnitOfWork, about: string): Promise<number> {
    return (await tx.query(cancelMails, [about])).length;
  }

  /** What is due, oldest first, across tenants; for the sweep that enqueues it. Read in pages, none left out. */
  async *due(now: Date = this.clock.now()): AsyncGenerator<MailRef> {
    for (let last: [string, string] | undefined; ;) {
      const page = await this.database.asSweep((tx) =>
        tx.query<MailRef & { due: string }>(dueMails, [
          now,
          last?.[0] ?? '-infinity',
          last?.[1] ?? NIL,
          PAGE,
        ]),
      );
      for (const { tenant, id } of page) yield { tenant, id };
      const end = page.at(-1);
      if (!end || page.length < PAGE) return;
      last = [end.due, end.id];
    }
  }

  /** Tries one mail once; safe to call at any time, by any number of workers. See `Postman`. */
  deliver(mail: MailRef): Promise<Delivery> {
    return this.postman.deliver(mail);
  }

  private async idOfFirst(tx: UnitOfWork, dedupeKey: string | null): Promise<string> {
    const first = await tx.one<{ id: string }>(`select id from habeas.outbox where dedupe_key = $1`, [
      dedupeKey,
    ]);
    if (first) return first.id;
    // Under REPEATABLE READ the other's row may be out of sight; the caller's retry will see it.
    throw new DomainError(
      'mail.written_elsewhere',
      'The same mail was written at the same moment. Try again.',
    );
  }
}

const NIL = '00000000-0000-0000-0000-000000000000';

const insertMail = `
  insert into habeas.outbox (tenant_id, about, template, language, recipient_sealed, params_sealed, dedupe_key,
                             created_at, next_attempt_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
  on conflict (tenant_id, dedupe_key) do nothing
  returning id`;

const cancelMails = `
  update habeas.outbox
     set status = 'cancelled', recipient_sealed = null, params_sealed = null
   where about = $1 and status = 'pending'
  returning id`;

const dueMails = /* keyset on outbox_due; as text, because a Date would round microseconds away */ `
  select id, tenant_id as tenant, next_attempt_at::text as due
    from habeas.outbox
   where status = 'pending' and next_attempt_at <= $1 and (next_attempt_at, id) > ($2::timestamptz, $3::uuid)
   order by next_attempt_at, id
   limit $4`;
