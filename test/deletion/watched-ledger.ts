import { type ObjectStore, type ObjectStores, unavailable } from '../../src/storage/object-store.js';

/** The ledger's bucket, of which is known what was asked, and which can be out of reach. */
export class WatchedLedger {
  isDown = false;
  /** Names of the calls that reached the bucket, in their order. */
  calls: string[] = [];

  readonly stores = (real: ObjectStores): ObjectStores => ({
    bucket: (name) => (name.endsWith('-ledger') ? this.watched(real.bucket(name)) : real.bucket(name)),
  });

  /** Of those, how many have read something. */
  get reads(): number {
    return this.calls.filter((name) => ['stat', 'get', 'list'].includes(name)).length;
  }

  private watched(bucket: ObjectStore): ObjectStore {
    return new Proxy(bucket, {
      get: (_, name) => {
        const it: unknown = Reflect.get(bucket, name);
        if (typeof it !== 'function') return it;
        return (...values: unknown[]) => {
          this.calls.push(String(name));
          if (this.isDown) return Promise.reject(unavailable('be reached'));
          return it.apply(bucket, values) as unknown;
        };
      },
    });
  }
}
