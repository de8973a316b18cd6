import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type JobRef } from '../jobs/queue.js';
import { type Failure } from './request.js';
import { Requests } from './requests.js';
import { Setbacks } from './setbacks.js';

/** What is done about one request, by its kind. */
export interface RequestWork<Begun> {
  /** In a transaction of its own. undefined: not due, or not any more. */
  begin: (tx: UnitOfWork) => Promise<Begun | undefined>;
  /** In transactions of its own. */
  work: (begun: Begun) => Promise<void>;
  /** What an error of `work` is to those who read it. */
  failureOf: (error: unknown) => Failure;
  /** Takes back what `begin` left. False: somebody else has taken over, and what went wrong here is of no interest. */
  giveUp?: (tx: UnitOfWork, begun: Begun) => Promise<boolean>;
}

/** One attempt at the work of a request, safe to repeat from any point: whatever stops it becomes a setback of that request. */
@Injectable()
export class Attempts {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly setbacks: Setbacks,
  ) {}

  /** @param name of the job, for the log */
  async run<Begun>(
    { tenant, id }: JobRef,
    name: string,
    { begin, work, failureOf, giveUp }: RequestWork<Begun>,
  ): Promise<void> {
    const begun = await this.database.asJob(tenant, name, begin);
    if (!begun) return;
    try {
      // Asked before anything of the host is read: what Postgres would say of it is a failure, this is a wait.
      this.host.assertFits();
      await work(begun);
    } catch (error) {
      await this.database.asJob(tenant, name, async (tx) => {
        const request = await this.requests.lock(tx, id);
        if (giveUp && !(await giveUp(tx, begun))) return;
        await this.setbacks.note(tx, request, failureOf(error));
      });
    }
  }
}
