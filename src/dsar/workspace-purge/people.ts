import { Injectable } from '@nestjs/common';
import { HOST_TENANT, systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type MemberKey, Members } from '../../datamap/members.js';
import { DomainError } from '../../errors.js';
import { Filing } from '../filing.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { Snapshots } from './snapshots.js';

const PAGE = 1000;

const noteAll = `
  insert into habeas.workspace_purge_people (tenant_id, kind, key)
  select $1, m ->> 0, m ->> 1 from jsonb_array_elements($2::jsonb) as m on conflict do nothing`;

const first = `
  select kind, key from habeas.workspace_purge_people where tenant_id = $1 order by kind, key limit 1
  for update skip locked`;

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
  ) {}

  private get members(): Members {
    const { map, catalogue } = this.host.current();
    return new Members(map, catalogue);
  }

  /** Writes down who is there, by key, in the tenant of `tx`; nobody where the map keeps them all. */
  async note(tx: UnitOfWork, hostKey: string): Promise<void> {
    if (this.host.map.workspaces?.peopleLeft !== 'erase') return;
    const { tenant } = tx;
    for (let after: MemberKey | undefined; ;) {
      const page = await tx.asHost((host) => this.members.page(host, hostKey, after, PAGE));
      if (page.length > 0)
        await tx.query(noteAll, [tenant, JSON.stringify(page.map(({ kind, key }) => [kind, key]))]);
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }

  /** Settles one after the other, each in one transaction: the note goes with what becomes of it. Safe to repeat. */
  async run({ tenant }: Purge): Promise<void> {
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
