import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { DomainError } from '../errors.js';

/** An answer as it went out, to be given again. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** One write that carries an Idempotency-Key, and who sent it. */
export interface KeyedWrite {
  tenancy: Tenancy;
  /** A stable text for the caller. */
  caller: string;
  key: string;
  /** All that must be the same for it to be the same request. */
  request: string;
}

const KEPT_MS = 24 * 3600_000;
/** A run that is older has died with its process: no call here takes minutes. */
const ABANDONED_MS = 5 * 60_000;

const claim = /* one statement, so that of two at once only one gets a row back */ `
  insert into habeas.idempotency_keys as held (tenant_id, principal, key, request_digest, created_at)
  values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, principal, key) do update
     set request_digest = excluded.request_digest, created_at = excluded.created_at, status = null, response = null
   where held.created_at < $6 or (held.status is null and held.created_at < $7)
  returning key`;

/**
 * Remembers what a write was answered, for a day. Neither key nor answer can be read from the table: the key is
 * hashed, and the answer (which may hold a token that is shown once, or personal data) is encrypted under it.
 */
export class Idempotency {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the answer given before, or undefined: then the caller runs, and must `keep` or `release`
   * @throws DomainError `idempotency.in_progress`, `idempotency.key_reused` when the request is another one
   */
  async begin(write: KeyedWrite): Promise<Answer | undefined> {
    const now = this.clock.now().getTime();
    return this.database.within(write.tenancy, async (tx) => {
      const digest = digestOf(write.request);
      const mine = await tx.one(claim, [
        ...placeOf(write),
        digest,
        new Date(now),
        new Date(now - KEPT_MS),
        new Date(now - ABANDONED_MS),
      ]);
      if (mine) return undefined;
      const held = await tx.one<Held>(
        `select request_digest, status, response from habeas.idempotency_keys ${where}`,
        [...placeOf(write)],
      );
      if (held && !held.request_digest.equals(digest)) throw keyReused();
      if (held?.status == null || !held.response) throw inProgress();
      return open(write, digest, held.response.sealed);
    });
  }

  /** Stores the answer for whoever asks again. */
  async keep(write: KeyedWrite, answer: Answer): Promise<void> {
    const sealed = seal(write, digestOf(write.request), answer);
    await this.database.within(write.tenancy, (tx) =>
      tx.query(`update habeas.idempotency_keys set status = $4, response = $5 ${where}`, [
        ...placeOf(write),
        answer.status,
        JSON.stringify({ sealed }),
      ]),
    );
  }

  /** Lets the key be used again, since nothing was done under it. */
  async release(write: KeyedWrite): Promise<void> {
    await this.database.within(write.tenancy, (tx) =>
      tx.query(`delete from habeas.idempotency_keys ${where}`, placeOf(write)),
    );
  }

  /** For a sweep: deletes what is older than a day, in every tenant. @returns how many */
  async forgetOld(): Promise<number> {
    const before = new Date(this.clock.now().getTime() - KEPT_MS);
    const tenants = await this.database.asSweep((tx) =>
      tx.query<{ tenant_id: string }>(
        'select distinct tenant_id from habeas.idempotency_keys where created_at < $1',
        [before],
      ),
    );
    let forgotten = 0;
    for (const { tenant_id: tenant } of tenants) {
      const rows = await this.database.asJob(tenant, 'idempotency', (tx) =>
        tx.query('delete from habeas.idempotency_keys where created_at < $1 returning key', [before]),
      );
      forgotten += rows.length;
    }
    return forgotten;
  }
}

interface Held {
  request_digest: Buffer;
  status: number | null;
  response: { sealed: string } | null;
}

const where = 'where tenant_id = $1 and principal = $2 and key = $3';

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const digestOf = sha256;
const placeOf = ({ tenancy, caller, key }: KeyedWrite) => [
  tenancy.tenant,
  sha256(caller),
  sha256(key).toString('base64url'),
];

const keyFor = ({ caller, key }: KeyedWrite) =>
  Buffer.from(hkdfSync('sha256', key, sha256(caller), 'habeas idempotent answer', 32));

function seal(write: KeyedWrite, digest: Buffer, answer: Answer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFor(write), nonce, { authTagLength: 16 }).setAAD(digest);
  const text = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
}

function open(write: KeyedWrite, digest: Buffer, sealed: string): Answer {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', keyFor(write), bytes.subarray(0, 12), {
    authTagLength: 16,
  })
    .setAAD(digest)
    .setAuthTag(bytes.subarray(12, 28));
  return JSON.parse(
    Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString(),
  ) as Answer;
}

const keyReused = () =>
  new DomainError('idempotency.key_reused', 'This Idempotency-Key was sent with another request before.');
const inProgress = () =>
  new DomainError(
    'idempotency.in_progress',
    'The first request with this Idempotency-Key is still running.',
    {
      extra: { retryAfter: 1 },
    },
  );
