import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseDataMap } from '../../src/datamap/parse.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { type TestDesk } from '../support/desk.js';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answers = (response: ServerResponse, received: Received) => void;
export const status =
  (code: number, headers: Record<string, string> = {}): Answers =>
  (response) =>
    response.writeHead(code, headers).end();
/** Takes the message and never says so. */
export const hangs: Answers = () => undefined;

/** Somebody who had been handed data, with an API of their own that really listens. */
export class Processor {
  readonly received: Received[] = [];
  private readonly answers = new Map<string, Answers>();
  private readonly server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const received = { method, path, headers, body };
      this.received.push(received);
      const [, answer] = [...this.answers].findLast(([start]) => `${method} ${path}`.startsWith(start)) ?? [];
      (answer ?? status(204))(response, received);
    });
  });

  static async open(): Promise<Processor> {
    const processor = new Processor();
    await new Promise<void>((resolve) => processor.server.listen(0, '127.0.0.1', resolve));
    return processor;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param start of `METHOD /path` */
  on(start: string, answer: Answers): void {
    this.answers.delete(start);
    this.answers.set(start, answer);
  }

  to(start: string): Received[] {
    return this.received.filter(({ method, path }) => `${method} ${path}`.startsWith(start));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The demo's data map with these recipients instead of its own. */
export const mapWith = async (recipients: string): Promise<string> =>
  (await readFile('demo/datamap.yaml', 'utf8')).replace(
    /\nrecipients:\n[^]*?\nexempt:/,
    `\nrecipients:\n${recipients}\nexempt:`,
  );

/** Lets a running service know of these recipients. */
export async function declare(desk: TestDesk, recipients: string): Promise<void> {
  const declared = parseDataMap(await mapWith(recipients), { file: 'test.yaml' }).recipients;
  const { map } = desk.app.get(HostMap);
  for (const name of Object.keys(map.recipients)) Reflect.deleteProperty(map.recipients, name);
  Object.assign(map.recipients, declared);
}
