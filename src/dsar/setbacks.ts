import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { DomainError } from '../errors.js';
import { type Failure, type Request } from './request.js';
import { Requests } from './requests.js';
import { delayAfter, MAX_ATTEMPTS } from './retry-policy.js';

const MINUTE = 60_000;

/** Nobody's fault here, and over when somebody acts: looked at again after so many minutes, without wearing the retries down. */
const waits = new Map([
  ['datamap.drift', 1],
  ['deletion.held', 15],
]);
/** Trying again finds the same: a person has to look. */
const final = new Set(['residue.found', 'erasure.blocked_by_constraint']);

/** What a failed attempt at a request's work leads to: another one, a wait, or the desk. Never nothing. */
@Injectable()
export class Setbacks {
  constructor(
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
  ) {}

  /** Whether a request in progress is to be tried (again) now. What waits for the map waits until that says something else. */
  isOver({ nextAttemptAt, failure }: Request): boolean {
    if (nextAttemptAt !== null && nextAttemptAt > this.clock.now()) return false;
    return failure?.code !== 'datamap.drift' || failure.message !== this.drift();
  }

  /**
   * Writes it on the request, tells it, and says when it is tried again; out of retries it is `failed` and on the desk.
   * @param request locked; nothing happens unless it is in progress, because then somebody else has ended it
   */
  async note(tx: UnitOfWork, request: Request, failure: Failure): Promise<void> {
    if (request.status !== 'in_progress') return;
    const wait = waits.get(failure.code);
    const attempts = request.attempts + (wait === undefined ? 1 : 0);
    const told = { outcome: 'failure' as const, failure, attempts };
    const metadata = { code: failure.code, attempts };
    if (final.has(failure.code) || attempts >= MAX_ATTEMPTS) {
      await this.requests.move(tx, request, 'failed', { ...told, action: 'request.failed', metadata });
      return;
    }
    const delay = wait === undefined ? delayAfter(attempts) : wait * MINUTE;
    const nextAttemptAt = new Date(this.clock.now().getTime() + delay);
    if (failure.code !== 'deletion.held') {
      const again = { ...told, nextAttemptAt, metadata };
      await this.requests.reschedule(tx, request, { ...again, action: 'request.attempt_failed' });
    } else if (request.failure?.code === failure.code) {
      await this.requests.postpone(tx, request, nextAttemptAt);
    } else {
      // Not why: the person reads the timeline, and may have no right to know of a hold.
      await this.requests.reschedule(tx, request, { ...told, nextAttemptAt, action: 'request.blocked' });
    }
  }

  private drift(): string | undefined {
    try {
      this.host.assertFits();
      return undefined;
    } catch (error) {
      if (error instanceof DomainError) return error.message;
      throw error;
    }
  }
}
