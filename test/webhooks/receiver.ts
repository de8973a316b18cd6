import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface Received {
  headers: Record<string, string>;
  body: string;
}

type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

const taken: Behaviour = (response) => response.writeHead(204).end();

/** A host app's own server, really listening; what it does with a message can be changed. */
export class Receiver {
  readonly received: Received[] = [];
  connections = 0;
  behaviour: Behaviour = taken;
  private readonly server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      this.received.push({ headers: request.headers as Record<string, string>, body });
      this.behaviour(response, request);
    });
  });

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.on('connection', () => (receiver.connections += 1));
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks?from=habeas`;
  }

  answer(status: number, headers: Record<string, string> = {}): void {
    this.behaviour = (response) => response.writeHead(status, headers).end();
  }

  take(): void {
    this.behaviour = taken;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
