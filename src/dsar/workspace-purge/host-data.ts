import { Injectable } from '@nestjs/common';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { SecondThoughts } from './second-thoughts.js';

/** The host's rows and files, in batches that each ask whether they should. */
@Injectable()
export class HostData implements PurgeStep {
  constructor(
    private readonly eraser: WorkspaceEraser,
    private readonly thoughts: SecondThoughts,
  ) {}

  /** @throws DomainError as WorkspaceEraser.run and SecondThoughts.assertNone do */
  async run({ request, job }: Purge): Promise<void> {
    await this.eraser.run(job, {
      shouldGoOn: (tx) => this.thoughts.assertNone(tx, request),
      onIrreversible: (tx) => this.thoughts.tellEnded(tx, request),
    });
  }
}
