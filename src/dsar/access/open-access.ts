import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type OpenAccess } from '../../deletion/open-access.js';

/**
 * Condition: the access request `r` is open, or its package waits to be fetched at `$1`. A package counts as fetched
 * when any of its links was used; where none is left that could be, nothing is waited for.
 */
export const accessWaits = `
  r.kind = 'access' and (r.closed_at is null or exists (
    select from habeas.packages p
    where p.job_id = r.id and (p.status = 'building' or (p.status = 'ready' and p.expires_at > $1
      and not exists (select from habeas.package_links l where l.package_id = p.id and l.downloads > 0)
      and exists (select from habeas.package_links l
                  where l.package_id = p.id and l.revoked_at is null and l.expires_at > $1)))))`;

// An account's request lives in the host's tenant and has a part here. What was refused here is in no package.
const partsHere = `
  select request_tenant_id as "tenant", array_agg(request_id) as "requests"
  from habeas.request_parts where tenant_id = $1 and kind = 'access' and scope <> 'workspace' and coalesce(decision, 'approved') = 'approved'
  group by 1`;

const whose = `
  select distinct s.kind, s.key from habeas.requests r join habeas.request_subjects s on s.request_id = r.id
  where (r.id = any ($2::uuid[]) or not r.parts_opened) and ${accessWaits}`;

const openParts = `
  select request_tenant_id as "tenant", array_agg(request_id) as "requests"
  from habeas.request_parts where tenant_id = $1 and closed_at is null group by 1`;

const since = `
  select min(received_at) as since from habeas.requests
  where closed_at is null and (tenant_id = $1 or id = any ($2::uuid[]))`;

const ofWorkspace = `
  select 1 from habeas.requests r where r.tenant_id = $2 and r.scope = 'workspace' and ${accessWaits} limit 1`;

/** Asked of the requests themselves, in the tenant of each. */
@Injectable()
export class OpenAccessRequests implements OpenAccess {
  constructor(private readonly clock: Clock) {}

  async subjects(tx: UnitOfWork): Promise<SubjectRef[]> {
    const parts = await tx.query<{ tenant: string; requests: string[] }>(partsHere, [tx.tenant]);
    const requests = new Map(parts.map((part) => [part.tenant, part.requests]));
    const found = new Map<string, SubjectRef>();
    // The host's always: a request whose parts could not be opened yet (drift) may touch any tenant.
    for (const tenant of new Set([HOST_TENANT, tx.tenant, ...requests.keys()])) {
      const theirs = await tx.inTenant(tenant, () =>
        tx.query<SubjectRef>(whose, [this.clock.now(), requests.get(tenant) ?? []]),
      );
      for (const { kind, key } of theirs) found.set(JSON.stringify([kind, key]), { kind, key });
    }
    return [...found.values()];
  }

  async openSince(tx: UnitOfWork): Promise<Date | null> {
    const parts = await tx.query<{ tenant: string; requests: string[] }>(openParts, [tx.tenant]);
    const here = tx.tenant;
    const requests = new Map([
      [here, [] as string[]],
      ...parts.map((p): [string, string[]] => [p.tenant, p.requests]),
    ]);
    let oldest: Date | null = null;
    for (const [tenant, ids] of requests) {
      const row = await tx.inTenant(tenant, () => tx.one<{ since: Date | null }>(since, [here, ids]));
      if (row?.since && (oldest === null || row.since < oldest)) oldest = row.since;
    }
    return oldest;
  }

  async ofWorkspace(tx: UnitOfWork): Promise<boolean> {
    return (await tx.one(ofWorkspace, [this.clock.now(), tx.tenant])) !== undefined;
  }
}
