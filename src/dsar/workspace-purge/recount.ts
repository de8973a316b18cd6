import { Injectable } from '@nestjs/common';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { type Purge, type PurgeStep } from './purge-step.js';

/** Counts the host's rows again: an app that nobody has made read-only may have written more. */
@Injectable()
export class Recount implements PurgeStep {
  constructor(private readonly eraser: WorkspaceEraser) {}

  /** @throws DomainError `erasure.rows_came_back` */
  run({ job }: Purge): Promise<void> {
    return this.eraser.assertGone(job);
  }
}
