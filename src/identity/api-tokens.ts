import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type SubjectRef, type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { AuditLog } from '../audit/events.js';
import { DomainError, notFound } from '../errors.js';
import { issueToken, readToken } from '../keys/tokens.js';
import { actorId } from './actor-id.js';
import { expiredToken, invalidToken } from './jwt.js';
import { type ApiToken } from './principal.js';
import { type Permission, permissions } from './roles.js';

export const TOKEN_PREFIX = 'hbs_';

/** A token as it is listed: everything but the secret. */
export interface TokenRecord {
  id: string;
  name: string;
  permissions: Permission[];
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface NewToken {
  name: string;
  permissions: Permission[];
  expiresAt?: Date;
}

const columns = `id, name, permissions, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt"`;

const DAY = 24 * 60 * 60 * 1000;
/** No token is for ever: one that nobody remembers ends by itself. */
const LONGEST = 366 * DAY;
/** Live tokens of one tenant; more than a hundred means that something makes them in a loop. */
const MOST = 100;

/** Tokens of host apps: made by an owner or admin, shown once, kept as a hash. */
@Injectable()
export class ApiTokens {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Who presents this token. Its use is noted at most once a minute, so that a busy token is no busy row.
   * @throws DomainError `auth.token_invalid` (no such token, or revoked), `auth.token_expired`
   */
  async authenticate(text: string): Promise<ApiToken> {
    const presented = readToken(text, TOKEN_PREFIX);
    if (!presented) throw invalidToken();
    const { tenant, hash } = presented;
    const now = this.clock.now();
    const token = await this.database.asJob(tenant, 'sign-in', async (tx) => {
      const found = await tx.one<TokenRecord>(
        `select ${columns} from habeas.api_tokens where token_hash = $1`,
        [hash],
      );
      if (found && isLive(found, now)) await tx.query(noteUse, [found.id, now]);
      return found;
    });
    if (!token || token.revokedAt) throw invalidToken();
    if (!isLive(token, now)) throw expiredToken();
    const held = permissions.filter((permission) => token.permissions.includes(permission));
    return { type: 'token', id: token.id, tenant, permissions: held, roles: held };
  }

  /**
   * Makes a token; the secret is in this answer and never again.
   * @throws DomainError `token.expiry_out_of_range`, `token.too_many`
   */
  async create(tenancy: Tenancy, token: NewToken): Promise<TokenRecord & { token: string }> {
    const now = this.clock.now();
    const expiresAt = token.expiresAt ?? new Date(now.getTime() + 365 * DAY);
    if (expiresAt <= now || expiresAt.getTime() > now.getTime() + LONGEST)
      throw new DomainError(
        'token.expiry_out_of_range',
        'expiresAt must be in the future, at most one year ahead.',
      );
    const { token: secret, hash } = issueToken(tenancy.tenant, TOKEN_PREFIX);
    return this.database.within(tenancy, async (tx) => {
      const [{ live } = { live: 0 }] = await tx.query<{ live: number }>(countLive, [now]);
      if (live >= MOST)
        throw new DomainError(
          'token.too_many',
          `There are ${MOST} live tokens. Revoke some that are not in use first.`,
        );
      const creator = await actorId(tx);
      const values = [tx.tenant, token.name, token.permissions, hash, creator, now, expiresAt];
      const record = await tx.one<TokenRecord>(insertToken, values);
      if (!record) throw new Error('the token was not kept');
      await this.audit.record(tx, 'token.created', {
        targets: [{ type: 'token', id: record.id }],
        metadata: { permissions: token.permissions, expiresAt },
        // A name is free text.
        disclosures: [{ path: 'metadata.name', value: token.name }],
      });
      return { ...record, token: secret };
    });
  }

  /** The tenant's tokens, newest first, revoked ones too. */
  async list(tenancy: Tenancy, limit: number, after?: string): Promise<TokenRecord[]> {
    return this.database.within(tenancy, (tx) => tx.query<TokenRecord>(listTokens, [after ?? null, limit]));
  }

  /** Ends a token at once; once more does nothing. @throws DomainError `token.not_found` */
  async revoke(tenancy: Tenancy, id: string): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      const found = await tx.one('select id from habeas.api_tokens where id = $1', [id]);
      if (!found) throw notFound('token');
      const revoked = await tx.one(
        'update habeas.api_tokens set revoked_at = $2 where id = $1 and revoked_at is null returning id',
        [id, this.clock.now()],
      );
      if (revoked) await this.audit.record(tx, 'token.revoked', { targets: [{ type: 'token', id }] });
    });
  }

  /** Ends what these people made in the tenant of `tx`: they are erased, and nobody answers for it any more. */
  async revokeOf(tx: UnitOfWork, makers: readonly SubjectRef[]): Promise<void> {
    const values = [makers.map(({ kind }) => kind), makers.map(({ key }) => key), this.clock.now()];
    for (const { id } of await tx.query<{ id: string }>(revokeMadeBy, values))
      await this.audit.record(tx, 'token.revoked', { targets: [{ type: 'token', id }] });
  }
}

const revokeMadeBy = `
  update habeas.api_tokens set revoked_at = $3
  where revoked_at is null and created_by in (
    select p.pseudonym::text from habeas.pseudonyms p
    join unnest($1::text[], $2::text[]) as maker(kind, key) on p.subject_kind = maker.kind and p.subject_key = maker.key)
  returning id`;

const isLive = ({ revokedAt, expiresAt }: TokenRecord, now: Date) => !revokedAt && expiresAt > now;

const noteUse = `
  update habeas.api_tokens set last_used_at = $2
  where id = $1 and (last_used_at is null or last_used_at <= $2::timestamptz - interval '1 minute')`;

const countLive = `select count(*)::integer as live from habeas.api_tokens where revoked_at is null and expires_at > $1`;

const insertToken = `
  insert into habeas.api_tokens (tenant_id, name, permissions, token_hash, created_by, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7) returning ${columns}`;

const listTokens = `
  select ${columns} from habeas.api_tokens
  where $1::uuid is null or (created_at, id) < (select created_at, id from habeas.api_tokens where id = $1)
  order by created_at desc, id desc limit $2`;
