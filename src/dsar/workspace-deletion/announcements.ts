import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Webhooks } from '../../webhooks/webhooks.js';
import { type Request } from '../request.js';
import { CancellationLetters } from './cancellation-letters.js';
import { DeletionLetters } from './letters.js';
import { type DeletionReason } from './deletion.schema.js';

/** Who is told when a workspace's deletion is scheduled or cancelled: its owners by mail, the host app by webhook. */
@Injectable()
export class DeletionAnnouncements {
  constructor(
    private readonly letters: DeletionLetters,
    private readonly cancellations: CancellationLetters,
    private readonly webhooks: Webhooks,
  ) {}

  async scheduled(tx: UnitOfWork, request: Request, reason: DeletionReason): Promise<void> {
    await this.letters.scheduled(tx, request, reason);
    const scheduledFor = request.runAfter?.toISOString() ?? null;
    const data = { requestId: request.id, reason, scheduledFor };
    await this.webhooks.announce(tx, { type: 'workspace.deletion_scheduled', data });
  }

  async cancelled(tx: UnitOfWork, request: Request): Promise<void> {
    await this.cancellations.send(tx, request);
    const data = { requestId: request.id };
    await this.webhooks.announce(tx, { type: 'workspace.deletion_cancelled', data });
  }
}
