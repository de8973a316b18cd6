import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { Sealing } from '../keys/sealing.js';

const PURPOSE = 'webhook.secret';

/** A secret as it is listed: everything but itself. */
export interface SecretRecord {
  id: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/** What endpoints' messages are signed with: shown once, then only ever opened to sign. */
@Injectable()
export class EndpointSecrets {
  constructor(
    private readonly sealing: Sealing,
    private readonly clock: Clock,
  ) {}

  /** A fresh one, 256 bits. @returns `whsec_…`, here and never again */
  async issue(tx: UnitOfWork, webhookId: string): Promise<string> {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const values = [tx.tenant, webhookId, this.sealing.seal(PURPOSE, secret), this.clock.now()];
    await tx.query(insertSecret, values);
    return secret;
  }

  /**
   * A fresh one beside the last, which signs too until `overlap` is over; older ones end at once, so that there are
   * never more than two.
   * @param overlap milliseconds; 0 for a secret that became known
   */
  async rotate(tx: UnitOfWork, webhookId: string, overlap: number): Promise<string> {
    const now = this.clock.now();
    const [last] = await this.inForce(tx, webhookId);
    await tx.query('delete from habeas.webhook_secrets where webhook_id = $1 and id is distinct from $2', [
      webhookId,
      overlap > 0 ? (last?.id ?? null) : null,
    ]);
    const until = new Date(now.getTime() + overlap);
    await tx.query('update habeas.webhook_secrets set expires_at = $2 where webhook_id = $1', [
      webhookId,
      until,
    ]);
    return this.issue(tx, webhookId);
  }

  /** Those that sign now, newest first. */
  inForce(tx: UnitOfWork, webhookId: string): Promise<SecretRecord[]> {
    return tx.query<SecretRecord>(
      secretsInForce('id, created_at as "createdAt", expires_at as "expiresAt"'),
      [webhookId, this.clock.now()],
    );
  }

  /** Opened, newest first, to sign with. @throws DomainError `sealing.unreadable` */
  async open(tx: UnitOfWork, webhookId: string): Promise<string[]> {
    const rows = await tx.query<{ sealed: Buffer }>(secretsInForce('secret_sealed as sealed'), [
      webhookId,
      this.clock.now(),
    ]);
    return rows.map(({ sealed }) => this.sealing.open<string>(PURPOSE, sealed));
  }
}

const insertSecret = `
  insert into habeas.webhook_secrets (tenant_id, webhook_id, secret_sealed, created_at) values ($1, $2, $3, $4)`;

// The one without an end is the newest, also when the clock stood still.
const secretsInForce = (columns: string) => `
  select ${columns} from habeas.webhook_secrets
  where webhook_id = $1 and (expires_at is null or expires_at > $2)
  order by expires_at desc nulls first, created_at desc`;
