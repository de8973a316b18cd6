import { DomainError } from '../errors.js';
import { type ObjectStore, type ObjectStores } from './object-store.js';

/**
 * The buckets of the host app, as its rows name them. Our own is none of them: a row that named it would hand out
 * somebody else's package, or have it removed, or the ledger of erasures.
 */
export class HostStores implements ObjectStores {
  readonly versions;

  constructor(
    private readonly stores: ObjectStores,
    private readonly ours: string,
  ) {
    this.versions = stores.versions ?? 'unknown';
  }

  /** @throws DomainError `storage.bucket_ours`, `storage.bucket_invalid` */
  bucket(name: string): ObjectStore {
    // Not every store tells capitals apart.
    if (name.toLowerCase() === this.ours.toLowerCase())
      throw new DomainError('storage.bucket_ours', "This bucket is not the host's.");
    return this.stores.bucket(name);
  }
}
