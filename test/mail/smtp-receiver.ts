import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  recipients: string[];
  raw: string;
  email: Email;
}

/** A real SMTP server that keeps what it accepted; each test says what it refuses. */
export class SmtpReceiver {
  readonly received: ReceivedMail[] = [];
  private readonly server: SMTPServer;

  private constructor(options: SMTPServerOptions, beforeAccepting: () => Promise<void>) {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      onData: (stream, session, done) => {
        const accept = async (): Promise<void> => {
          const chunks: Buffer[] = [];
          for await (const chunk of stream) chunks.push(chunk as Buffer);
          const raw = Buffer.concat(chunks);
          const recipients = session.envelope.rcptTo.map(({ address }) => address);
          this.received.push({ recipients, raw: raw.toString('utf8'), email: await PostalMime.parse(raw) });
          await beforeAccepting();
        };
        accept().then(() => done(), done);
      },
      ...options,
    });
    // A client that hangs up in the middle is part of what is tested.
    this.server.on('error', () => undefined);
  }

  static async open(options: SMTPServerOptions = {}, beforeAccepting = () => Promise.resolve()) {
    const receiver = new SmtpReceiver(options, beforeAccepting);
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** A server that talks as `talk` says, for those that do not speak SMTP as they should. */
export class OddServer {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async open(talk: (socket: Socket) => void): Promise<OddServer> {
    const odd: OddServer = new OddServer(
      createServer((socket) => {
        odd.sockets.add(socket.on('error', () => undefined));
        talk(socket);
      }),
    );
    await new Promise<void>((resolve) => odd.server.listen(0, '127.0.0.1', resolve));
    return odd;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Refuses as an SMTP server does. */
export const refusal = (responseCode: number): Error =>
  Object.assign(new Error('maria@example.org is not welcome'), { responseCode });
