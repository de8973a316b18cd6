import { Injectable } from '@nestjs/common';
import { HOST_TENANT, systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type MemberKey, Members } from '../../datamap/members.js';
import { DomainError } from '../../errors.js';
import { Filing } from '../filing/filing.js';
import { NotedMembers } from './noted-members.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { Snapshots } from './snapshots.js';

// Whom another worker has in its hands is waited for: it may die with them, and after this step nobody looks again.
const first = `
  select kind, key from habeas.workspace_purge_people where tenant_id = $1 order by kind, key limit 1 for update`;

/**
 * What becomes of a workspace's members when it is gone: where the map says `peopleLeft: erase`, a deletion of their
 * account is filed for those who belong nowhere any more, and is theirs from then on, with its own clock, letters,
 * search, ledger entry and certificate. Everybody else keeps their account.
 */
@Injectable()
export class PeopleLeft implements PurgeStep {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly filing: Filing,
    private readonly snapshots: Snapshots,
    private readonly noted: NotedMembers,
  ) {}

  private get members(): Members {
    const { map, catalogue } = this.host.current();
    return new Members(map, catalogue);
  }

  /** Settles one after the other, each in one transaction: the note goes with what becomes of it. Safe to repeat. */
  async run(purge: Purge): Promise<void> {
    if (!this.noted.areSettled) return purge.within((tx) => this.noted.forget(tx));
    const { tenant } = purge;
    const tenancy = systemTenancy(HOST_TENANT, 'workspace-purge');
    while (await this.database.within(tenancy, (tx) => this.settleFirst(tx, tenant)));
  }

  private async settleFirst(tx: UnitOfWork, tenant: string): Promise<boolean> {
    const { person, workspace = '' } = await tx.inTenant(tenant, async () => {
      const next = await tx.one<MemberKey>(first, [tenant]);
      if (next)
        await tx.query(
          'delete from habeas.workspace_purge_people where tenant_id = $1 and kind = $2 and key = $3',
          [tenant, next.kind, next.key],
        );
      return { person: next, workspace: (await this.snapshots.read(tx))?.workspace };
    });
    if (!person) return false;
    // Somebody who joined another workspace meanwhile, or founded one, is not left.
    const left = await tx.asHost(async (host) =>
      (await this.members.belongsAnywhere(host, person))
        ? undefined
        : this.host.people.byKey(host, person.kind, person.key),
    );
    if (left)
      await tx.attempt(
        async () => {
          await this.filing.fileWithin(tx, {
            kind: 'deletion',
            scope: 'account',
            channel: 'workspace',
            coolingOff: 'PT0S',
            // They have not asked for it, and are told why it happens.
            details: { endedWith: workspace },
            proven: { method: 'authority', subjects: [{ ...left, via: 'authority' }] },
          });
        },
        // They have asked for it themselves.
        (error) => {
          if (!(error instanceof DomainError && error.code === 'request.duplicate')) throw error;
        },
      );
    return true;
  }
}
