import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { DomainError } from '../../errors.js';
import { canonicalJson, parseOnce } from '../../keys/canonical-json.js';
import { type Signing } from '../../keys/signing.js';
import { type ObjectStore, type ObjectStores } from '../../storage/object-store.js';
import { type LedgerEntry, SignedLedgerEntry } from './entry.js';

/** An object of the ledger: an entry whose signature is ours, or why it is not one. */
export type Found = { path: string; entry: LedgerEntry } | { path: string; problem: string };

const FOLDER = 'erasures';
/** Where the entry of a request is: `entries` goes by time, and a request does not know when it was erased. */
const POINTER_FORMAT = 'habeas-erasure-ledger-pointer/1';
const Pointer = z.strictObject({ format: z.literal(POINTER_FORMAT), entry: z.string() });
const NAME =
  /^erasures\/\d{4}\/\d{2}\/(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z-[0-9a-f-]{36}\.json$/;

/**
 * Every erasure that was done, outside the database: a restored backup brings back the erased and forgets that they
 * were. One small signed object an erasure, never changed and never removed by us. In a bucket of its own: rules
 * for packages (expiry, who may list) must not reach it.
 */
export class ErasureLedger {
  private readonly store: ObjectStore;
  private isReady = false;

  constructor(
    stores: ObjectStores,
    exportBucket: string,
    private readonly signing: Signing,
  ) {
    this.store = stores.bucket(ledgerBucket(exportBucket));
  }

  /**
   * Writes the entry unless it is there; to be called once the erasure has finished, as often as need be.
   * @returns the entry that stands: of an attempt that was interrupted, the first, with its certificate
   * @throws DomainError `ledger.conflict` where another entry has its place; `storage.unavailable`: call again later
   */
  async write(entry: LedgerEntry): Promise<LedgerEntry> {
    await this.ready();
    const path = pathOf(entry);
    const there = await this.read(path);
    if (there === undefined) {
      // The pointer first: whatever is entered can be found by its request, and one to nothing says nothing.
      await this.put(pointerOf(entry.jobId), { format: POINTER_FORMAT, entry: path });
      await this.put(path, this.signing.sign(entry));
      return entry;
    }
    if (!('entry' in there) || !isSameErasure(there.entry, entry))
      throw new DomainError(
        'ledger.conflict',
        'The ledger holds something else in the place of this erasure.',
      );
    return there.entry;
  }

  /**
   * The erasure of a request, if it was ever finished. For one that was not, as nearly always, one look-up.
   * @throws DomainError `ledger.unreadable` where something else is in its place; `storage.unavailable`
   */
  async ofRequest(jobId: string): Promise<LedgerEntry | undefined> {
    await this.ready();
    const path = pointerOf(jobId);
    if (!(await this.store.stat(path))) return undefined;
    const found = await this.read(await this.pointedAt(path));
    // An attempt was killed between pointer and entry: nobody was told of anything.
    if (!found) return undefined;
    if ('entry' in found && found.entry.jobId === jobId) return found.entry;
    throw unreadable();
  }

  /** What was completed at `since` or later, in no order; what cannot be read is told, not skipped. */
  async *entries(since?: Date): AsyncGenerator<Found> {
    await this.ready();
    for await (const { path } of this.store.list(FOLDER)) {
      const completedAt = timeOf(path);
      if (since && completedAt && completedAt < since) continue;
      const found = await this.read(path);
      if (found) yield found;
    }
  }

  private async read(path: string): Promise<Found | undefined> {
    if (!(await this.store.stat(path))) return undefined;
    try {
      const signed = SignedLedgerEntry.parse(parseOnce(await text(await this.store.get(path))));
      this.signing.verifier.check(signed);
      const { signature: _, ...entry } = signed;
      // A copy under another name would move an erasure in time.
      return pathOf(entry) === path ? { path, entry } : { path, problem: 'ledger.misplaced' };
    } catch (error) {
      if (error instanceof DomainError && error.code.startsWith('storage.')) throw error;
      return { path, problem: error instanceof DomainError ? error.code : 'ledger.unreadable' };
    }
  }

  private async pointedAt(path: string): Promise<string> {
    try {
      const { entry } = Pointer.parse(parseOnce(await text(await this.store.get(path))));
      if (NAME.test(entry)) return entry;
    } catch (error) {
      if (error instanceof DomainError && error.code.startsWith('storage.')) throw error;
    }
    throw unreadable();
  }

  private async put(path: string, document: object): Promise<void> {
    const body = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
    await this.store.put(path, Readable.from([body]), { contentType: 'application/json' });
  }

  private async ready(): Promise<void> {
    if (!this.isReady) await this.store.ready();
    this.isReady = true;
  }
}

/** Beside the bucket of packages, so that two installations on one storage do not share it; 63 characters at most. */
export const ledgerBucket = (exportBucket: string): string => `${exportBucket.slice(0, 56)}-ledger`;

/**
 * Whether two entries are of one erasure: what was written first stands. How its people are found may be said
 * otherwise by now, when the data map changed between the writing and a second attempt.
 */
function isSameErasure(one: LedgerEntry, other: LedgerEntry): boolean {
  const identity = ({ erasureId, jobId, tenant, scope, workspaces, subjects }: LedgerEntry) =>
    canonicalJson({
      ...{ erasureId, jobId, tenant, scope, workspaces },
      pseudonyms: subjects.map(({ pseudonym }) => pseudonym).sort(),
    });
  return identity(one) === identity(other);
}

const unreadable = (): DomainError =>
  new DomainError('ledger.unreadable', 'What the erasure ledger says of this request cannot be read.');

const pointerOf = (jobId: string): string => `requests/${jobId}.json`;

function pathOf({ completedAt, erasureId }: LedgerEntry): string {
  const time = new Date(completedAt).toISOString();
  return `${FOLDER}/${time.slice(0, 4)}/${time.slice(5, 7)}/${time.replaceAll(':', '')}-${erasureId}.json`;
}

function timeOf(path: string): Date | undefined {
  const [, day, hour, minute, second] = NAME.exec(path) ?? [];
  return day === undefined ? undefined : new Date(`${day}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
}
