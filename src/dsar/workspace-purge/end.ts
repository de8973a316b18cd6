import { Inject, Injectable } from '@nestjs/common';
import { DateTime, Duration } from 'luxon';
import { AuditLog } from '../../audit/events.js';
import { checkpointOf } from '../../audit/checkpoint.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type SignedCertificate } from '../../deletion/certificate.schema.js';
import { Certificates } from '../../deletion/certificates.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { LOG_FLOOR } from '../../deletion/retention/time.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { Sealing } from '../../keys/sealing.js';
import { Signing } from '../../keys/signing.js';
import { Outbox } from '../../mail/outbox.js';
import { Webhooks } from '../../webhooks/webhooks.js';
import { Recipients } from '../recipients.js';
import { certificateWords } from '../certificate-words.js';
import { Requests } from '../requests.js';
import { readSnapshot } from './snapshot.js';

// What was set before still counts: a change that shortens only does so from its time on.
const logKept = `
  select case when pending is not null and effective_at <= $2 then pending else keep end as keep
  from habeas.retention_rules where tenant_id = $1 and target = 'auditLog'`;

/** A log of a purged workspace is kept so long at the least. */
const logFloor = Duration.fromISO(LOG_FLOOR);

/** The end of a purge, in one transaction: the last events, the log's checkpoint, the certificate, and the mails with it. */
@Injectable()
export class PurgeEnd {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly audit: AuditLog,
    private readonly requests: Requests,
    private readonly erasures: Erasures,
    private readonly certificates: Certificates,
    private readonly own: WorkspaceOwnData,
    private readonly signing: Signing,
    private readonly sealing: Sealing,
    private readonly outbox: Outbox,
    private readonly webhooks: Webhooks,
    private readonly recipients: Recipients,
  ) {}

  /** How long the log stays, read before the workspace's settings go. */
  async logEndsAt(tx: UnitOfWork, from: Date): Promise<Date> {
    const rule = await tx.one<{ keep: string | null }>(logKept, [tx.tenant, from]);
    // Nobody set an end: as long as what proves that requests were answered.
    const keep = rule?.keep == null ? this.own.logKept : Duration.fromISO(rule.keep);
    const start = DateTime.fromJSDate(from, { zone: 'utc' });
    return DateTime.max(start.plus(keep), start.plus(logFloor)).toJSDate();
  }

  /** Fulfils the request, if it is still in progress. */
  async reach(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    const request = await this.requests.lock(tx, job.jobId);
    if (request.status !== 'in_progress') return;
    const now = this.clock.now();
    const logEndsAt = await this.keptUntil(tx, now);
    const erasure = [{ type: 'erasure', id: job.id }];
    const closed = await this.requests.move(tx, request, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: 'full',
      targets: erasure,
      metadata: { outcome: 'full' },
    });
    await this.audit.record(tx, 'workspace.purged', {
      targets: [{ type: 'workspace', id: tx.tenant }, ...erasure],
      metadata: { logEndsAt: logEndsAt.toISOString() },
    });
    await this.own.forgetRest(tx);
    const checkpoint = await checkpointOf(tx, this.signing, now);
    const recipients = await this.recipients.titles(tx, closed.id);
    const told = { law: request.law, mentions: 0, recipients, checkpoint };
    const certificate = await this.certificates.issue(tx, job, told);
    await this.tellOwners(tx, closed.id, certificate);
    await this.webhooks.announce(tx, {
      type: 'workspace.purged',
      data: { requestId: closed.id, erasureId: job.id },
    });
    await this.own.end(tx, closed.id, now, logEndsAt);
    // One that failed while it ran: closing has taken its failure off the desk.
    await this.recipients.showOnDesk(tx, { requestId: closed.id, requestTenant: closed.tenant });
    await tx.query('update habeas.workspace_purges set checkpoint = $2 where tenant_id = $1', [
      tx.tenant,
      JSON.stringify(checkpoint),
    ]);
    await this.erasures.wipe(tx, job.id);
    await tx.query('update habeas.erasure_steps set workspace = null where tenant_id = $1', [tx.tenant]);
    await tx.query('update habeas.request_parts set host_key = null where tenant_id = $1', [tx.tenant]);
    await tx.query(
      `update habeas.requests set mail_sealed = null, details_sealed = null, language = null, contact_wiped_at = $2 where id = $1`,
      [closed.id, now],
    );
  }

  private async keptUntil(tx: UnitOfWork, now: Date): Promise<Date> {
    const sql = 'select log_ends_at as "at" from habeas.workspace_purges where tenant_id = $1';
    const noted = (await tx.one<{ at: Date | null }>(sql, [tx.tenant]))?.at;
    const floor = DateTime.fromJSDate(now, { zone: 'utc' }).plus(logFloor).toJSDate();
    return noted && noted > floor ? noted : floor;
  }

  /** Each address leaves the snapshot for the sealed letter, which ends when it is sent or given up. */
  private async tellOwners(tx: UnitOfWork, requestId: string, certificate: SignedCertificate): Promise<void> {
    const told = await readSnapshot(tx, this.sealing);
    if (!told) return;
    const { workspace, controller, contact, owners } = told;
    for (const [n, { mail, language }] of owners.entries())
      await this.outbox.send(tx, {
        template: 'workspace-deleted',
        to: mail,
        language,
        about: requestId,
        dedupeKey: `${requestId}:workspace-deleted:${n}`,
        params: {
          ...certificateWords(
            certificate,
            this.config,
            (name) => this.host.map.collections[name]?.title ?? name,
          ),
          ...{ controller, workspace, ...(contact !== undefined && { contact }) },
          reference: requestId,
          asked: { kind: 'deletion', scope: 'workspace', workspace },
        },
      });
  }
}
