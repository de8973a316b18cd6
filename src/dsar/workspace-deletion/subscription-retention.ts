import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';

const chosen = `select 1 from habeas.retentions where tenant_id = $1 and subscription_ended = 'delete'`;

/** What a workspace has chosen for the day its subscription ends; it is kept where nobody chose. */
@Injectable()
export class SubscriptionRetention {
  /** @throws DomainError `deletion.kept_by_retention` */
  async assertDeletes(tx: UnitOfWork): Promise<void> {
    if (await tx.one(chosen, [tx.tenant])) return;
    throw new DomainError(
      'deletion.kept_by_retention',
      `This workspace's retention keeps it after its subscription has ended. That is changed at /v1/workspaces/${tx.tenant}/retention; an owner may delete it at any time.`,
    );
  }
}
