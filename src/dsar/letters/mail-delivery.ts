import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { RowFailure, throwIfAny } from '../../jobs/each-on-its-own.js';
import { Queue } from '../../jobs/queue.js';
import { Outbox } from '../../mail/outbox.js';
import { type Bounce } from '../../mail/postman.js';
import { MAIL_DELIVERY } from '../queues.js';
import { Requests } from '../requests.js';

/** Gets letters out of the outbox: each is queued as it is written, and what waited too long is queued again. */
@Injectable()
export class MailDelivery {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly queue: Queue,
    private readonly requests: Requests,
  ) {}

  /** Connects outbox and queue; called once, before the queue starts. */
  connect(): void {
    this.outbox.onQueued((tx, mail) => this.queue.enqueue(tx, MAIL_DELIVERY, mail));
    this.outbox.onBounce((tx, bounce) => this.putOnDesk(tx, bounce));
    this.queue.register(
      MAIL_DELIVERY,
      async (mail) => {
        await this.outbox.deliver(mail);
      },
      {
        concurrency: 2,
      },
    );
  }

  async sweep(): Promise<void> {
    const failures: RowFailure[] = [];
    for await (const mail of this.outbox.due())
      await this.database
        .asJob(mail.tenant, 'outbox-sweep', (tx) => this.queue.enqueue(tx, MAIL_DELIVERY, mail))
        .catch((error: unknown) => failures.push(new RowFailure(mail, error)));
    throwIfAny(failures);
  }

  /** A letter that does not arrive never fails its request (invariant 6); staff see that it did not. */
  private async putOnDesk(tx: UnitOfWork, { about, template, failure }: Bounce): Promise<void> {
    if (about === null) return;
    const request = await this.requests.find(tx, about).catch(() => undefined);
    if (!request) return;
    const message = `The mail "${template}" could not be delivered.`;
    await tx.query('update habeas.requests set failure = $2 where id = $1', [
      about,
      JSON.stringify({ code: failure, message }),
    ]);
    await this.requests.tell(tx, request, 'mail.bounced', {
      outcome: 'failure',
      metadata: { template, code: failure },
    });
  }
}
