import { Injectable } from '@nestjs/common';
import { type Request } from './request.js';
import { Requests } from './requests.js';

/** What becomes of a workspace once its grace is over; every step finds what was done before. */
@Injectable()
export class WorkspacePurge {
  constructor(private readonly requests: Requests) {}

  /**
   * Does everything to the end.
   * @param request of scope workspace, in progress
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `datamap.drift`, `storage.*`
   */
  async run(request: Request): Promise<void> {
    await Promise.reject(new Error(`not yet: ${request.id} ${this.requests.constructor.name}`));
  }
}
