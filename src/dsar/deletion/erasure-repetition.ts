import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { type RepeatedMatter } from '../../deletion/ledger/eraser.js';
import { type LedgerEntry } from '../../deletion/ledger/entry.js';
import { ResidueSearch } from '../../deletion/residue/search.js';
import { DomainError } from '../../errors.js';
import { isShared } from '../../deletion/hindrance/shared-rows.js';
import { Outbox } from '../../mail/outbox.js';
import { DeletionBlockers } from './blockers.js';
import { namesThem } from './end.js';
import { assertNothingLeft } from './erasure-residue.js';
import { ErasingPerson, tenantsOf } from './erasing-person.js';
import { Parts, undecided } from '../parts.js';
import { isOpen, type Outcome } from '../request-lifecycle.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

const asUndecided = `
  update habeas.request_parts set decision = null, decided_by = null, decided_at = null
  where tenant_id = $1 and request_id = $2 and decision = 'left_out'`;

/** The request behind an erasure that is repeated after a restore, as far as the backup knew it, and all that hangs on it. */
@Injectable()
export class ErasureRepetition implements RepeatedMatter {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly outbox: Outbox,
    private readonly requests: Requests,
    private readonly requestParts: Parts,
    private readonly person: ErasingPerson,
    private readonly residues: ResidueSearch,
    private readonly blockers: DeletionBlockers,
  ) {}

  async assertNotHeld(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    const [held] = await this.blockers.heldFrom(tx, job);
    if (held) throw new DomainError('deletion.held', held.message);
  }

  /** A request that would run again by itself is in progress here from now on: its own run finds the same erasure. */
  async takeUp(tx: UnitOfWork, entry: LedgerEntry): Promise<void> {
    const request = await this.open(tx, entry);
    if (!request) return;
    // What was about to be sent when the backup was taken has been sent since.
    await this.outbox.cancel(tx, request.id);
    await this.decideParts(tx, request, entry);
    if (request.status !== 'in_progress')
      await this.requests.move(tx, request, 'in_progress', { action: 'request.started' });
  }

  async forget(job: ErasureJob, entry: LedgerEntry): Promise<void> {
    const { leftOut = [] } = entry;
    // The matter itself is closed below; under an id of this repetition it would be taken for an earlier one.
    await this.person.forget({ ...job, jobId: entry.jobId }, leftOut);
    const whole = job.scope === 'account' && leftOut.length === 0;
    const [report] = await this.residues.search([
      {
        id: job.id,
        subjects: job.subjects,
        ...(job.names && { names: job.names }),
        ...(job.kept && { kept: job.kept }),
        ...(!whole && { workspaces: job.workspaces, tenants: tenantsOf(job) }),
        cases: [job.id, job.jobId, entry.jobId, ...(await this.openCases(job))],
      },
    ]);
    assertNothingLeft(report);
  }

  /** Without a letter: the one there was has been sent. */
  async close(tx: UnitOfWork, job: ErasureJob, entry: LedgerEntry): Promise<void> {
    const request = await this.open(tx, entry);
    if (!request) return;
    await this.outbox.cancel(tx, request.id);
    const outcome = this.outcomeOf(job, entry);
    await this.requests.move(tx, request, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: outcome,
      targets: [{ type: 'erasure', id: entry.erasureId }],
      metadata: { outcome, repeated: true },
    });
    await tx.query(
      'update habeas.requests set mail_sealed = null, details_sealed = null, language = null where id = $1',
      [request.id],
    );
    // Only a key in the clear is one that names nobody: it may go on reading the certificate.
    const named = entry.subjects.flatMap(({ key }) => key ?? []);
    await tx.query('delete from habeas.request_subjects where request_id = $1 and key <> all ($2::text[])', [
      request.id,
      named,
    ]);
  }

  /** As it was told: what was decided since the backup is not known here, but what came of it is. */
  private outcomeOf({ scope, subjects }: ErasureJob, entry: LedgerEntry): Outcome {
    const { certificate, leftOut = [], kept = [] } = entry;
    if (scope === 'workspace') return 'full';
    if (!certificate) return 'no_data';
    const ofThem = certificate.collections.some(
      (one) => one.rule === 'keep' && !isShared(one) && namesThem(this.host, one.collection, subjects),
    );
    return leftOut.length > 0 || kept.length > 0 || ofThem ? 'partial' : 'full';
  }

  /**
   * What came back undecided was decided before the erasure, and silence since then means nothing: whoever is not in the
   * ledger's entry was left out.
   */
  private async decideParts(tx: UnitOfWork, request: Request, entry: LedgerEntry): Promise<void> {
    const erased = new Set(entry.workspaces.map(({ key }) => key));
    for (const part of await this.requestParts.of(tx, request)) {
      const decision = part.hostKey !== null && erased.has(part.hostKey) ? 'approved' : 'left_out';
      if (!undecided(part) && !(part.decision === 'left_out' && decision === 'approved')) continue;
      await tx.inTenant(part.tenant, async () => {
        await tx.query(asUndecided, [part.tenant, request.id]);
        await this.requestParts.decide(tx, request.id, decision, 'system', this.clock.now());
      });
    }
  }

  private async open(tx: UnitOfWork, { jobId, tenant }: LedgerEntry): Promise<Request | undefined> {
    const known = 'select 1 from habeas.requests where tenant_id = $1 and id = $2';
    if (!(await tx.one(known, [tenant, jobId]))) return undefined;
    const request = await this.requests.lock(tx, jobId);
    return isOpen(request.status) ? request : undefined;
  }

  /** Other requests of theirs that are open still name them, and are forgotten in their own time. */
  private async openCases({ tenant, subjects }: ErasureJob): Promise<string[]> {
    const open = 'select id from habeas.requests where closed_at is null';
    const rows = await this.database.asJob(tenant, 'erasure-ledger', (tx) =>
      tx.asSelf(subjects, (own) => own.query<{ id: string }>(open)),
    );
    return rows.map(({ id }) => id);
  }
}
