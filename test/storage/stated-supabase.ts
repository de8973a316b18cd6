import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** Some server's answer: its status, and what it says. */
type Said = [status: number, body: unknown];

/** What Supabase Storage 1.26.5 was seen to answer of names, and of nothing else; what the names hold is the names. */
export class StatedSupabase {
  readonly names = new Set<string>();
  private readonly server: Server;

  /** @param onTheWay what a proxy before it makes of addresses */
  constructor(onTheWay: (address: string) => string = (address) => address) {
    this.server = createServer((asked, response) => {
      void this.answer(asked, new URL(onTheWay(asked.url ?? ''), 'http://storage')).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(asked: IncomingMessage, { pathname, searchParams }: URL): Promise<Said> {
    const route = `${asked.method} ${pathname.replace('/storage/v1/object/', '')}`;
    const name = decodeURIComponent(/^GET (?:info|authenticated|sign)\/[^/]+\/(.*)/.exec(route)?.[1] ?? '');
    if (route.startsWith('DELETE'))
      return this.remove(((await json(asked)) as { prefixes: string[] }).prefixes);
    if (route.startsWith('POST sign')) return this.sign(((await json(asked)) as { paths: string[] }).paths);
    if (route.startsWith('POST list-v2'))
      return this.list(((await json(asked)) as { prefix: string }).prefix);
    if (route.startsWith('GET sign') && fromToken(searchParams.get('token')) !== name)
      return [400, { statusCode: '400', error: 'InvalidSignature', message: 'Invalid signature' }];
    if (!this.names.has(name))
      return [400, { statusCode: '404', error: 'not_found', message: 'Object not found' }];
    return [200, route.startsWith('GET info') ? { size: name.length, created_at: new Date() } : name];
  }

  private remove(names: string[]): Said {
    return [200, names.filter((name) => this.names.delete(name)).map((name) => ({ name }))];
  }

  private sign(names: string[]): Said {
    const signed = names.map((path) =>
      this.names.has(path)
        ? { path, error: null, signedURL: `/object/sign/bucket/${path}?token=${toToken(path)}` }
        : {
            path,
            error: 'Either the object does not exist or you do not have access to it',
            signedURL: null,
          },
    );
    return [200, signed];
  }

  /** Its prefix is a pattern of LIKE. */
  private list(prefix: string): Said {
    const pattern = new RegExp(
      `^${prefix
        .replace(/[^\w%]/g, '\\$&')
        .replaceAll('_', '.')
        .replaceAll('%', '.*')}`,
    );
    const objects = [...this.names]
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => ({ name, metadata: { size: name.length }, updated_at: new Date() }));
    return [200, { hasNext: false, folders: [], objects }];
  }
}

const toToken = (name: string): string => Buffer.from(name).toString('base64url');
const fromToken = (token: string | null): string => Buffer.from(token ?? '', 'base64url').toString();
