import { Injectable } from '@nestjs/common';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Eraser } from '../../deletion/eraser.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { LeftRows } from '../../deletion/left-rows.js';
import { countsOf } from '../../deletion/residue-report.js';
import { ResidueSearch } from '../../deletion/residue-search.js';
import { LedgerEraser } from '../../deletion/ledger-eraser.js';
import { type LedgerEntry } from '../../deletion/ledger-entry.js';
import { DomainError } from '../../errors.js';
import { DeletionBlockers } from './blockers.js';
import { DeletionEnd } from './end.js';
import { DeletionJob } from './job.js';
import { ErasureMemory } from './erasure-memory.js';
import { assertNothingLeft } from './erasure-residue.js';
import { ErasingPerson, tenantsOf } from './erasing-person.js';
import { Parts, takesPart } from '../parts.js';
import { type Request } from '../request.js';
import { Recipients } from '../recipients/recipients.js';
import { Requests } from '../requests.js';

/**
 * The work of one deletion, in its order: the host's rows and files, Habeas's own, the search for what is left, the
 * ledger, and with the certificate the end. Every step finds what was done before, so it may be repeated from any point.
 */
@Injectable()
export class DeletionWork {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly blockers: DeletionBlockers,
    private readonly job: DeletionJob,
    private readonly eraser: Eraser,
    private readonly rows: LeftRows,
    private readonly person: ErasingPerson,
    private readonly residues: ResidueSearch,
    private readonly memory: ErasureMemory,
    private readonly end: DeletionEnd,
    private readonly erasures: Erasures,
    private readonly recipients: Recipients,
    private readonly repeater: LedgerEraser,
  ) {}

  /**
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `residue.*`, `ledger.*`, `datamap.drift`, `storage.*`
   */
  async run(request: Request): Promise<void> {
    const before = await this.memory.recall(request);
    await (before ? this.repeat(request, before) : this.erase(request));
  }

  /** A backup brought back what was erased and told: done once more under the same ids, and told nobody. */
  private async repeat(request: Request, entry: LedgerEntry): Promise<void> {
    const job = await this.within(request, (tx) => this.job.again(tx, request, entry));
    await this.repeater.repeat(job, entry, {
      shouldGoOn: (tx) => this.shouldGoOn(tx, job),
      onIrreversible: (tx) => this.requests.tell(tx, request, 'request.irreversible'),
    });
  }

  private async erase(request: Request): Promise<void> {
    const job = await this.within(request, async (tx) =>
      this.job.begin(tx, request, await this.parts.of(tx, request)),
    );
    if (job.subjects.length > 0) {
      await this.eraser.run(job, {
        shouldGoOn: (tx) => this.shouldGoOn(tx, job),
        onIrreversible: (tx) => this.begun(tx, request, job),
      });
      await this.within(request, (tx) => this.tellRecipients(tx, job, 'end'));
      await this.rows.noneCameBack(job);
      await this.person.forget(job, await this.leftOut(request));
    }
    const mentions = await this.search(request, job);
    const certificate = job.subjects.length > 0 ? await this.remember(request, job, mentions) : undefined;
    await this.within(request, (tx) => this.end.reach(tx, job, certificate));
  }

  /** From here on nothing brings it back; so whoever ends sessions is told at once, before the app writes more. */
  private async begun(tx: UnitOfWork, request: Request, job: ErasureJob): Promise<void> {
    await this.requests.tell(tx, request, 'request.irreversible');
    await this.tellRecipients(tx, job, 'start');
  }

  private async tellRecipients(tx: UnitOfWork, job: ErasureJob, when: 'start' | 'end'): Promise<void> {
    const steps = await this.erasures.outcomes(tx, job.id);
    const { id, jobId, ...erased } = job;
    await this.recipients.open(tx, { ...erased, erasureId: id, requestId: jobId, steps }, when);
  }

  /** A withdrawal takes the same lock, so that either it comes first or this batch does. */
  private async shouldGoOn(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    const request = await this.requests.lock(tx, job.jobId);
    if (request.status !== 'in_progress')
      throw new DomainError('erasure.stopped', `The request is ${request.status}.`);
    const [held] = await this.blockers.held(
      tx,
      await this.parts.of(tx, request),
      job.subjects,
      job.kept ?? [],
    );
    if (held) throw new DomainError('deletion.held', held.message);
  }

  /** @returns hits in other people's rows, which are noted for review. @throws DomainError `residue.found`, `erasure.rows_came_back` */
  private async search(request: Request, job: ErasureJob): Promise<number> {
    if (job.subjects.length === 0) return 0;
    const whole = job.scope === 'account' && (await this.leftOut(request)).length === 0;
    const [report] = await this.residues.search([
      {
        id: job.id,
        subjects: job.subjects,
        names: job.names ?? [],
        ...(job.kept && { kept: job.kept }),
        ...(!whole && { workspaces: job.workspaces, tenants: tenantsOf(job) }),
        cases: [job.id, job.jobId, ...(await this.openCases(request, job))],
      },
    ]);
    assertNothingLeft(report);
    await this.within(request, (tx) => this.erasures.noteMentions(tx, job.id, report.mentions));
    return countsOf(report).mentions;
  }

  /** Tenants whose part was refused or not decided: what is there stays. */
  private leftOut(request: Request): Promise<string[]> {
    return this.within(request, async (tx) =>
      (await this.parts.of(tx, request)).filter((part) => !takesPart(part)).map(({ tenant }) => tenant),
    );
  }

  /** Other requests of theirs that are open still name them, and are forgotten in their own time. */
  private async openCases(request: Request, job: ErasureJob): Promise<string[]> {
    const open = 'select id from habeas.requests where closed_at is null';
    const rows = await this.within(request, (tx) =>
      tx.asSelf(job.subjects, (own) => own.query<{ id: string }>(open)),
    );
    return rows.map(({ id }) => id);
  }

  private async remember(request: Request, job: ErasureJob, mentions: number) {
    const recipients = await this.within(request, (tx) => this.recipients.titles(tx, request.id));
    const { law } = request;
    return this.memory.remember(job, { law, mentions, recipients, leftOut: await this.leftOut(request) });
  }

  private within<T>({ tenant }: Request, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.within(systemTenancy(tenant, 'deletion-fulfilment'), work);
  }
}
