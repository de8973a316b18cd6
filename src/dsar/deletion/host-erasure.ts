import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Eraser } from '../../deletion/eraser.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { LeftRows } from '../../deletion/left-rows.js';
import { DomainError } from '../../errors.js';
import { Recipients } from '../recipients/recipients.js';
import { type Request } from '../request.js';
import { Standing } from './standing.js';

/** The host's rows and files of one deletion, and whoever else has to hear that they go (Art. 19). */
@Injectable()
export class HostErasure {
  constructor(
    private readonly database: Database,
    private readonly standing: Standing,
    private readonly eraser: Eraser,
    private readonly erasures: Erasures,
    private readonly rows: LeftRows,
    private readonly recipients: Recipients,
  ) {}

  /**
   * Safe to repeat.
   * @returns titles of those who are told
   * @throws DomainError `deletion.held`, `erasure.*`, `storage.*`
   */
  async run(request: Request, job: ErasureJob): Promise<string[]> {
    await this.erase(request, job);
    const told = await this.database.asJob(request.tenant, 'deletion-fulfilment', async (tx) => {
      await this.tell(tx, job, 'end');
      return this.recipients.titles(tx, request.id);
    });
    await this.rows.noneCameBack(job).catch(async (error: unknown) => {
      if (!(error instanceof DomainError) || error.code !== 'erasure.rows_came_back') throw error;
      // A trigger that keeps a history writes it on while rows are changed, after that history's own turn: so a second time.
      await this.erase(request, job);
      await this.rows.noneCameBack(job);
    });
    return told;
  }

  private erase(request: Request, job: ErasureJob) {
    return this.eraser.run(job, {
      shouldGoOn: (tx) => this.standing.assert(tx, job),
      onIrreversible: async (tx) => {
        await this.standing.tellIrreversible(tx, request);
        // Whoever ends sessions is told at once, before the app writes more.
        await this.tell(tx, job, 'start');
      },
    });
  }

  private async tell(tx: UnitOfWork, job: ErasureJob, when: 'start' | 'end'): Promise<void> {
    const steps = await this.erasures.outcomes(tx, job.id);
    const { id, jobId, ...erased } = job;
    await this.recipients.open(tx, { ...erased, erasureId: id, requestId: jobId, steps }, when);
  }
}
