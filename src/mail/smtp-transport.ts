import { createTransport, type Transporter } from 'nodemailer';
import { senderAddress, type MailAddress } from './mail-address.js';
import { mimeOf } from './mime.js';
import { type Handover, LONGEST_HANDOVER, type MailTransport, type OutgoingMail } from './transport.js';

/** Milliseconds. `socket` is the longest silence, `total` the longest handover. */
export interface SmtpTimeouts {
  connect: number;
  greeting: number;
  socket: number;
  total: number;
}

const patient: SmtpTimeouts = { connect: 10_000, greeting: 10_000, socket: 30_000, total: LONGEST_HANDOVER };

/** SMTP over a few kept connections. `requireTLS` and whatever else SMTP_URL says is nodemailer's to respect. */
export class SmtpTransport implements MailTransport {
  private readonly from: MailAddress;
  private readonly mailer: Transporter;

  constructor(
    url: string,
    from: string,
    private readonly timeouts: SmtpTimeouts = patient,
  ) {
    this.from = senderAddress(from);
    this.mailer = createTransport({
      url,
      pool: true,
      maxConnections: 3,
      // The pool would send again by itself after a connection died in the middle, and the mail might arrive
      // twice within seconds. The outbox tries again, later and counted.
      maxRequeues: 0,
      connectionTimeout: timeouts.connect,
      dnsTimeout: timeouts.connect,
      greetingTimeout: timeouts.greeting,
      socketTimeout: timeouts.socket,
    });
  }

  async send(mail: OutgoingMail): Promise<Handover> {
    try {
      // No socket timeout notices a server that trickles its answers; the signal does.
      const signal = AbortSignal.timeout(this.timeouts.total);
      await this.mailer.sendMail({ ...mimeOf(mail, this.from), signal });
      return { accepted: true };
    } catch (error) {
      return { accepted: false, ...verdict(error as SmtpError) };
    }
  }

  close(): Promise<void> {
    this.mailer.close();
    return Promise.resolve();
  }
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
}

/**
 * Permanent is only what the server says for good (5xx) about this recipient or this message. A refused login or
 * sender is the operator's to mend, within the days that the outbox keeps trying.
 */
function verdict({ code, command, responseCode = 0 }: SmtpError) {
  // 503: the session was in the wrong state, the message was not judged.
  const forGood = responseCode >= 500 && responseCode < 600 && responseCode !== 503;
  if (forGood && command === 'RCPT TO')
    return { permanent: true, failure: 'mail.recipient_refused' } as const;
  if (forGood && command === 'DATA') return { permanent: true, failure: 'mail.message_refused' } as const;
  if (command === 'RCPT TO' || command === 'DATA')
    return { permanent: false, failure: 'mail.deferred' } as const;
  return { permanent: false, failure: failures[code ?? ''] ?? 'mail.not_sent' } as const;
}

const failures: Record<string, `mail.${string}`> = {
  EAUTH: 'mail.login_refused',
  ENOAUTH: 'mail.login_refused',
  EENVELOPE: 'mail.sender_refused',
  ETLS: 'mail.no_encryption',
  ETIMEDOUT: 'mail.server_slow',
  EABORT: 'mail.server_slow',
  EDNS: 'mail.server_unreachable',
  ECONNECTION: 'mail.server_unreachable',
  ESOCKET: 'mail.server_unreachable',
};
