import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import { type DemoName } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { type ObjectStore, type ObjectStores } from '../../src/storage/object-store.js';
import { SupabaseStores } from '../../src/storage/supabase-store.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

/** What the fault makes of a store; absent: the real one is used. */
export interface Fault {
  packages?: (real: ObjectStore) => Partial<ObjectStore>;
  attachments?: (real: ObjectStore) => Partial<ObjectStore>;
}

/** How a request stands, behind the scenes. */
export interface Standing {
  status: string;
  attempts: number;
  failure: { code: string; message: string } | null;
  nextAttemptAt: Date | null;
}

/** The service with stores that fail on demand. */
export class FaultyDesk {
  fault: Fault = {};

  private constructor(
    readonly desk: TestDesk,
    private readonly bucketOfPackages: ObjectStore,
  ) {}

  static async open(environment: Record<string, string> = {}): Promise<FaultyDesk> {
    const current: { faulty?: FaultyDesk; packages?: ObjectStore } = {};
    const stores = (real: ObjectStores): ObjectStores => ({
      bucket: (name) => {
        const bucket = real.bucket(name);
        const isPackages = name === 'dsar-exports';
        if (isPackages) current.packages = bucket;
        const now = () => current.faulty?.fault[isPackages ? 'packages' : 'attachments']?.(bucket) ?? bucket;
        return new Proxy(bucket, {
          get: (_, property) => {
            const it: unknown = Reflect.get(now(), property) ?? Reflect.get(bucket, property);
            return typeof it === 'function' ? (it.bind(bucket) as unknown) : it;
          },
        });
      },
    });
    const desk = await TestDesk.open({ environment, stores });
    current.faulty = new FaultyDesk(desk, current.packages as ObjectStore);
    return current.faulty;
  }

  /** Files an access request for the account of a person. */
  async file(person: DemoName): Promise<string> {
    const filed = await (await this.desk.as(person)).post('/v1/me/requests', { kind: 'access' });
    expect(filed.status).toBe(201);
    return (filed.body as { id: string }).id;
  }

  async standing(id: string): Promise<Standing> {
    const [row] = await this.desk.db.behindTheScenes<Standing>(
      'select status, attempts, failure, next_attempt_at as "nextAttemptAt" from habeas.requests where id = $1',
      [id],
    );
    return row as Standing;
  }

  /** How it stands once so many attempts have failed. */
  afterAttempts(id: string, attempts: number): Promise<Standing> {
    return eventually(async () => {
      const standing = await this.standing(id);
      return standing.attempts >= attempts ? standing : undefined;
    }, 20_000);
  }

  fulfilled(id: string): Promise<Standing> {
    return eventually(async () => {
      const standing = await this.standing(id);
      return standing.status === 'fulfilled' ? standing : undefined;
    }, 20_000);
  }

  /** Lets this much time pass and rings the sweeps. */
  async later(minutes: number): Promise<void> {
    this.desk.clock.advance(minutes * 60_000);
    await this.desk.sweep();
  }

  /** What staff see of it, once the queue of the desk shows it. */
  async onDesk(id: string): Promise<Record<string, any> | undefined> {
    const { body } = await (await this.staff()).get('/v1/desk/requests?show=stuck&limit=100');
    return (body as { items: { id: string }[] }).items.find((item) => item.id === id);
  }

  async retry(id: string) {
    return (await this.staff()).post(`/v1/workspaces/${HOST_TENANT}/requests/${id}/retries`);
  }

  /** Signed in anew: the clock of these tests outruns a session. */
  private staff(): Promise<Caller> {
    return this.desk.as('support');
  }

  /** What lies in the bucket for this request. */
  async stored(id: string): Promise<string[]> {
    const paths: string[] = [];
    for await (const { path } of this.bucketOfPackages.list(`account/${id}`)) paths.push(path);
    return paths;
  }
}

/** A bucket of the Supabase driver, on a server that answers like this. */
export async function supabaseThat(
  answers: RequestListener,
): Promise<{ store: ObjectStore; close: () => Promise<void> }> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    store: new SupabaseStores({ url, serviceKey: 'key', patienceMs: 300 }).bucket('faulty'),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
