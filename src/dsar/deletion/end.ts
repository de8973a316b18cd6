import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Certificates } from '../../deletion/certificate/certificates.js';
import { type ErasureJob, keptBy, type StepOutcome } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { Suppressions } from '../../deletion/suppressions/suppressions.js';
import { issueResultLink } from '../letters/certificate-link.js';
import { Letters } from '../letters/letters.js';
import { Parts, takesPart } from '../parts.js';
import { Recipients } from '../recipients/recipients.js';
import { type Outcome } from '../request-lifecycle.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** Whether rows of this collection are about people of these kinds themselves. */
export const namesThem = (
  { map }: Pick<HostMap, 'map'>,
  collection: string,
  people: readonly { kind: string }[],
): boolean =>
  people.some(({ kind }) =>
    map.collections[collection]?.subject[kind]?.some(({ join }) => join.length === 0),
  );

/** The end of a person's deletion, in one transaction: certificate, suppression, mail, and then nobody knows who it was. */
@Injectable()
export class DeletionEnd {
  constructor(
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly erasures: Erasures,
    private readonly certificates: Certificates,
    private readonly suppressions: Suppressions,
    private readonly letters: Letters,
    private readonly clock: Clock,
    private readonly recipients: Recipients,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Fulfils the request, if it is still in progress.
   * @param certificate as the ledger has it; none where nothing was erased
   */
  async reach(tx: UnitOfWork, job: ErasureJob, certificate: SignedCertificate | undefined): Promise<void> {
    const request = await this.requests.lock(tx, job.jobId);
    if (request.status !== 'in_progress') return;
    const outcome = await this.outcomeOf(tx, request, job);
    const close = () =>
      this.requests.move(tx, request, 'fulfilled', {
        action: 'request.fulfilled',
        outcomeOfRequest: outcome,
        targets: [{ type: 'erasure', id: job.id }],
        metadata: { outcome },
      });
    if (outcome === 'no_data' || !certificate) await this.letters.noData(tx, await close());
    else {
      await this.certificates.keep(tx, job.id, certificate);
      const erasedAt = await this.certificates.erasedAt(tx, job.id);
      await this.suppressions.add(tx, job.subjects, { erasureId: job.id, erasedAt });
      const closed = await close();
      const token = await issueResultLink(tx, closed, this.clock.now());
      const titleOf = (name: string) => this.host.map.collections[name]?.title ?? name;
      await this.letters.deletionDone(tx, closed, certificate, { token, titleOf });
    }
    await this.tellMentions(tx, job);
    await this.wipe(tx, job);
    // One that failed while it ran: closing has taken its failure off the desk.
    await this.recipients.showOnDesk(tx, { requestId: request.id, requestTenant: request.tenant });
  }

  /** Somebody has to look: by the erasure's id, since the person is nobody's any more, and apart from their timeline. */
  private async tellMentions(tx: UnitOfWork, { id, jobId }: ErasureJob): Promise<void> {
    const mentions = await this.erasures.mentions(tx, jobId);
    if (mentions.length === 0) return;
    await this.audit.record(tx, 'mentions.found', {
      targets: [{ type: 'erasure', id }],
      metadata: { mentions },
    });
  }

  private async outcomeOf(tx: UnitOfWork, request: Request, job: ErasureJob): Promise<Outcome> {
    const erased = await this.erasures.outcomes(tx, job.id);
    if (erased.length === 0) return 'no_data';
    const whole = (await this.parts.of(tx, request)).every(takesPart);
    return whole && !erased.some((step) => this.isLeft(job, step)) ? 'full' : 'partial';
  }

  /**
   * Whether something of the person stays, by a refusal or by the map's own ground (Art. 17(3): to that extent the
   * request was not followed, and Art. 12(4) wants it told). A row that only lies on the way to them, their team's
   * workspace say, holds nothing of theirs.
   */
  private isLeft(job: ErasureJob, { rule, collection, workspace }: StepOutcome): boolean {
    if (rule !== 'keep') return false;
    return namesThem(this.host, collection, job.subjects) || keptBy(job, collection, workspace) !== undefined;
  }

  /** The letter has its own sealed copy of the address, which ends when it is sent or given up. */
  private async wipe(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    await this.erasures.wipe(tx, job.id);
    await tx.query(
      'update habeas.requests set mail_sealed = null, details_sealed = null, language = null where id = $1',
      [job.jobId],
    );
    // A key that outlives its person names nobody and lets them read the certificate; any other does name them.
    for (const { kind, key } of job.subjects) {
      const lives =
        this.host.map.subjects[kind]?.table &&
        (await tx.asHost((host) => this.host.people.byKey(host, kind, key)));
      if (!lives)
        await tx.query('delete from habeas.request_subjects where request_id = $1 and kind = $2 and key = $3', [
          job.jobId, kind, key,
        ]); // prettier-ignore
    }
  }
}
