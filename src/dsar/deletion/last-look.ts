import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures, reopenSteps } from '../../deletion/erasures.js';
import { countsOf, isClean } from '../../deletion/residue/report.js';
import { ResidueSearch } from '../../deletion/residue/search.js';
import { assertNothingLeft } from './erasure-residue.js';
import { tenantsOf } from './erasing-person.js';

const openCases = 'select id from habeas.requests where closed_at is null';

/** The search of everything for what is left of the people of one deletion. */
@Injectable()
export class LastLook {
  constructor(
    private readonly database: Database,
    private readonly erasures: Erasures,
    private readonly residues: ResidueSearch,
  ) {}

  /**
   * @param leftOut tenants whose part was refused or not decided: what is there stays
   * @returns hits in other people's rows, which are noted for review
   * @throws DomainError `residue.found`, `erasure.rows_came_back`
   */
  async mentions(job: ErasureJob, leftOut: readonly string[]): Promise<number> {
    const whole = job.scope === 'account' && leftOut.length === 0;
    const [report] = await this.residues.search([
      {
        id: job.id,
        subjects: job.subjects,
        names: job.names ?? [],
        ...(job.kept && { kept: job.kept }),
        ...(!whole && { workspaces: job.workspaces, tenants: tenantsOf(job) }),
        cases: [job.id, job.jobId, ...(await this.openCases(job))],
      },
    ]);
    // Once it is mended, all is looked at again, and completed only then.
    if (report && !isClean(report)) await this.within(job, (tx) => reopenSteps(tx, job.id));
    assertNothingLeft(report);
    await this.within(job, (tx) => this.erasures.noteMentions(tx, job.id, report.mentions));
    return countsOf(report).mentions;
  }

  /** Other requests of theirs that are open still name them, and are forgotten in their own time. */
  private async openCases(job: ErasureJob): Promise<string[]> {
    const rows = await this.within(job, (tx) =>
      tx.asSelf(job.subjects, (own) => own.query<{ id: string }>(openCases)),
    );
    return rows.map(({ id }) => id);
  }

  private within<T>({ tenant }: ErasureJob, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'deletion-fulfilment', work);
  }
}
