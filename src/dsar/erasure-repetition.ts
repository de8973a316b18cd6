import { systemTenancy } from '../database/tenancy.js';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type ErasureJob } from '../deletion/erasure.js';
import { type RepeatedMatter } from '../deletion/ledger-eraser.js';
import { type LedgerEntry } from '../deletion/ledger-entry.js';
import { isClean } from '../deletion/residue-report.js';
import { type ResidueSearch } from '../deletion/residue-search.js';
import { type WorkspaceOwnData } from '../deletion/workspace-own-data.js';
import { DomainError } from '../errors.js';
import { type Clock } from '../clock.js';
import { type Outbox } from '../mail/outbox.js';
import { type ErasingPerson, tenantsOf } from './erasing-person.js';
import { type Parts, takesPart, undecided } from './parts.js';
import { isOpen } from './request-lifecycle.js';
import { type Request } from './request.js';
import { type Requests } from './requests.js';
import { type WorkspaceMatters } from './workspace-purge/matters.js';

export interface ErasureRepetitionParts {
  database: Database;
  clock: Clock;
  outbox: Outbox;
  requests: Requests;
  requestParts: Parts;
  person: ErasingPerson;
  residues: ResidueSearch;
  workspace: WorkspaceOwnData;
  workspaceMatters: WorkspaceMatters;
}

/** The request behind an erasure that is repeated after a restore, as far as the backup knew it, and all that hangs on it. */
export class ErasureRepetition implements RepeatedMatter {
  constructor(private readonly parts: ErasureRepetitionParts) {}

  /** A request that would run again by itself is in progress here from now on: its own run finds the same erasure. */
  async takeUp(tx: UnitOfWork, entry: LedgerEntry): Promise<void> {
    const { requests, outbox } = this.parts;
    const request = await this.open(tx, entry);
    if (!request) return;
    // What was about to be sent when the backup was taken has been sent since.
    await outbox.cancel(tx, request.id);
    await this.decideParts(tx, request, entry);
    if (request.status !== 'in_progress')
      await requests.move(tx, request, 'in_progress', { action: 'request.started' });
  }

  async forget(job: ErasureJob, entry: LedgerEntry): Promise<void> {
    if (job.scope === 'workspace') return this.forgetWorkspace(job, entry);
    const { person, residues } = this.parts;
    const { leftOut = [] } = entry;
    // The matter itself is closed below; under an id of this repetition it would be taken for an earlier one.
    await person.forget({ ...job, jobId: entry.jobId }, leftOut);
    const whole = job.scope === 'account' && leftOut.length === 0;
    const [report] = await residues.search([
      {
        id: job.id,
        subjects: job.subjects,
        ...(job.kept && { kept: job.kept }),
        ...(!whole && { workspaces: job.workspaces, tenants: tenantsOf(job) }),
        cases: [job.id, job.jobId, entry.jobId, ...(await this.openCases(job))],
      },
    ]);
    if (!report || isClean(report)) return;
    const places = [...report.residues, ...report.unreadable].map(
      ({ schema, table }) => `${schema}.${table}`,
    );
    throw new DomainError('residue.found', `Something is left, or cannot be searched: ${places.join(', ')}.`);
  }

  /** Without a letter: the one there was has been sent. */
  async close(tx: UnitOfWork, job: ErasureJob, entry: LedgerEntry): Promise<void> {
    const { requests, requestParts, outbox, workspace } = this.parts;
    if (job.scope === 'workspace') await workspace.end(tx, entry.jobId, new Date(entry.completedAt));
    const request = await this.open(tx, entry);
    if (!request) return;
    await outbox.cancel(tx, request.id);
    const whole = (await requestParts.of(tx, request)).every(takesPart) && !entry.kept?.length;
    const outcome = entry.certificate || job.scope === 'workspace' ? (whole ? 'full' : 'partial') : 'no_data';
    await requests.move(tx, request, 'fulfilled', {
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

  private async forgetWorkspace({ tenant }: ErasureJob, { jobId }: LedgerEntry): Promise<void> {
    const { workspace, workspaceMatters } = this.parts;
    await workspace.cancelMails(tenant);
    await workspaceMatters.settle({ tenant, id: jobId });
    await workspace.removePackages(tenant);
    await workspace.empty(tenant);
    await workspace.forgetLog(tenant);
  }

  /** What came back undecided was decided before the erasure: whoever is not in the ledger's entry was left out. */
  private async decideParts(tx: UnitOfWork, request: Request, entry: LedgerEntry): Promise<void> {
    const { requestParts, clock } = this.parts;
    const erased = new Set(entry.workspaces.map(({ key }) => key));
    for (const part of (await requestParts.of(tx, request)).filter(undecided)) {
      const decision = part.hostKey !== null && erased.has(part.hostKey) ? 'approved' : 'left_out';
      await tx.inTenant(part.tenant, () =>
        requestParts.decide(tx, request.id, decision, 'system', clock.now()),
      );
    }
  }

  private async open(tx: UnitOfWork, { jobId, tenant }: LedgerEntry): Promise<Request | undefined> {
    const known = 'select 1 from habeas.requests where tenant_id = $1 and id = $2';
    if (!(await tx.one(known, [tenant, jobId]))) return undefined;
    const request = await this.parts.requests.lock(tx, jobId);
    return isOpen(request.status) ? request : undefined;
  }

  /** Other requests of theirs that are open still name them, and are forgotten in their own time. */
  private async openCases({ tenant, subjects }: ErasureJob): Promise<string[]> {
    const open = 'select id from habeas.requests where closed_at is null';
    const rows = await this.parts.database.within(systemTenancy(tenant, 'erasure-ledger'), (tx) =>
      tx.asSelf(subjects, (own) => own.query<{ id: string }>(open)),
    );
    return rows.map(({ id }) => id);
  }
}
