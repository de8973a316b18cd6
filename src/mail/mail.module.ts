import { join } from 'node:path';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Sealing } from '../keys/sealing.js';
import { FileTransport } from './file-transport.js';
import { Outbox } from './outbox.js';
import { SmtpTransport } from './smtp-transport.js';
import { MAIL_TRANSPORT, type MailTransport } from './transport.js';

const transportFor = ({ mail, home }: Config): MailTransport =>
  mail.smtpUrl
    ? new SmtpTransport(mail.smtpUrl, mail.from)
    : new FileTransport(join(home, 'outbox'), mail.from);

const outbox = (...[database, sealing, clock, transport]: [Database, Sealing, Clock, MailTransport]) =>
  new Outbox(database, sealing, clock, transport);

@Module({
  providers: [
    { provide: MAIL_TRANSPORT, inject: [CONFIG], useFactory: transportFor },
    { provide: Outbox, inject: [Database, Sealing, Clock, MAIL_TRANSPORT], useFactory: outbox },
  ],
  exports: [Outbox],
})
export class MailModule implements OnApplicationShutdown {
  constructor(@Inject(MAIL_TRANSPORT) private readonly transport: MailTransport) {}

  onApplicationShutdown(): Promise<void> {
    return this.transport.close();
  }
}
