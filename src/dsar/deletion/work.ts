import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { LedgerEraser } from '../../deletion/ledger/eraser.js';
import { type LedgerEntry } from '../../deletion/ledger/entry.js';
import { Parts, takesPart } from '../parts.js';
import { type Request } from '../request.js';
import { DeletionEnd } from './end.js';
import { ErasingPerson } from './erasing-person.js';
import { ErasureMemory } from './erasure-memory.js';
import { HostErasure } from './host-erasure.js';
import { DeletionJob } from './job.js';
import { LastLook } from './last-look.js';
import { Standing } from './standing.js';

/**
 * The work of one deletion, in its order: the host's rows and files, Habeas's own, the search for what is left, the
 * ledger, and with the certificate the end. Every step finds what was done before, so it may be repeated from any point.
 */
@Injectable()
export class DeletionWork {
  constructor(
    private readonly database: Database,
    private readonly parts: Parts,
    private readonly memory: ErasureMemory,
    private readonly job: DeletionJob,
    private readonly host: HostErasure,
    private readonly person: ErasingPerson,
    private readonly look: LastLook,
    private readonly end: DeletionEnd,
    private readonly standing: Standing,
    private readonly repeater: LedgerEraser,
  ) {}

  /**
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `residue.*`, `ledger.*`, `datamap.drift`, `storage.*`
   */
  async run(request: Request): Promise<void> {
    const before = await this.memory.recall(request);
    await (before ? this.repeat(request, before) : this.erase(request));
  }

  private async erase(request: Request): Promise<void> {
    const job = await this.within(request, async (tx) =>
      this.job.begin(tx, request, await this.parts.of(tx, request)),
    );
    if (job.subjects.length === 0) return this.within(request, (tx) => this.end.reach(tx, job, undefined));
    const recipients = await this.host.run(request, job);
    const leftOut = await this.leftOut(request);
    await this.person.forget(job, leftOut);
    const mentions = await this.look.mentions(job, leftOut);
    const certificate = await this.memory.remember(job, { law: request.law, mentions, recipients, leftOut });
    await this.within(request, (tx) => this.end.reach(tx, job, certificate));
  }

  /** A backup brought back what was erased and told: done once more under the same ids, and told nobody. */
  private async repeat(request: Request, entry: LedgerEntry): Promise<void> {
    const job = await this.within(request, (tx) => this.job.again(tx, request, entry));
    await this.repeater.repeat(job, entry, {
      shouldGoOn: (tx) => this.standing.assert(tx, job),
      onIrreversible: (tx) => this.standing.tellIrreversible(tx, request),
    });
  }

  /** Tenants whose part was refused or not decided: what is there stays. */
  private leftOut(request: Request): Promise<string[]> {
    return this.within(request, async (tx) =>
      (await this.parts.of(tx, request)).filter((part) => !takesPart(part)).map(({ tenant }) => tenant),
    );
  }

  private within<T>({ tenant }: Request, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'deletion-fulfilment', work);
  }
}
