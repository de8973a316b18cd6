import { Injectable } from '@nestjs/common';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { WorkspaceMatters } from './matters.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { PurgedTombstones } from './tombstones.js';

/** Habeas's own: mails that were not sent, requests, packages, settings, tombstones, and whom the log knows. */
@Injectable()
export class Forgetting implements PurgeStep {
  constructor(
    private readonly own: WorkspaceOwnData,
    private readonly matters: WorkspaceMatters,
    private readonly tombstones: PurgedTombstones,
  ) {}

  /** @throws DomainError `erasure.files_left`, `storage.unavailable` */
  async run({ tenant, request }: Purge): Promise<void> {
    await this.own.cancelMails(tenant);
    await this.matters.settle(request);
    await this.own.removePackages(tenant);
    await this.own.empty(tenant);
    await this.tombstones.close(tenant);
    await this.own.forgetLog(tenant);
  }
}
