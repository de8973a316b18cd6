import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/events.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { HostMap } from '../../datamap/host-map.js';
import { driftOr } from '../../datamap/misfit.js';
import { type Orphan } from '../../datamap/workspaces.js';
import { type Page, pageFrom, type PageQuery, readCursor } from '../../http/paging.js';
import { type OrphanedWorkspaces } from './deletion.schema.js';

const FIRST = '00000000-0000-0000-0000-000000000000';
/** Workspaces looked at with one statement. */
const PAGE = 2000;

const directory = `
  select id, host_key as "hostKey" from habeas.workspaces where id > $1 and host_key is not null order by id limit $2`;

const open = `
  select tenant_id as "tenant", id, status, run_after as "runAfter" from habeas.requests
  where tenant_id = any ($1) and kind = 'deletion' and scope = 'workspace' and closed_at is null`;

type Found = Pick<Orphan, 'known'> & { id: string };
type Open = { tenant: string; id: string; status: string; runAfter: Date | null };

/** Workspaces that nobody owns any more, or that the host no longer has: whose data they are is the desk's to settle. */
@Injectable()
export class Orphans {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly host: HostMap,
  ) {}

  /** In the order of their ids; looking is an event in the host's own log. @throws DomainError `datamap.drift` */
  async list(tenancy: Tenancy, { limit, cursor }: PageQuery): Promise<OrphanedWorkspaces> {
    const after = readCursor(z.guid(), cursor);
    await this.database.within({ ...tenancy, tenant: HOST_TENANT }, (tx) =>
      this.audit.record(tx, 'desk.viewed', { metadata: { show: 'orphaned-workspaces' } }),
    );
    const { items, next } = await this.page(after ?? FIRST, limit);
    const deletions = await this.database.asDesk((tx) => tx.query<Open>(open, [items.map(({ id }) => id)]));
    const byTenant = new Map(deletions.map((deletion) => [deletion.tenant, deletion]));
    return { items: items.map((orphan) => told(orphan, byTenant.get(orphan.id))), next };
  }

  /** No statement touches both the directory and the host's tables, so that a page of one is held against the other. */
  private async page(start: string, limit: number): Promise<Page<Found>> {
    const found: Found[] = [];
    for (let after = start; found.length <= limit;) {
      const rows = await this.database.asDesk((tx) =>
        tx.query<{ id: string; hostKey: string }>(directory, [after, PAGE]),
      );
      const last = rows.at(-1);
      if (!last) break;
      const keys = rows.map(({ hostKey }) => hostKey);
      const orphans = await this.database
        .asHost((host) => this.host.workspaces.withoutOwner(host, keys))
        .catch(driftOr);
      const byKey = new Map(orphans.map((orphan) => [orphan.workspace, orphan]));
      for (const { id, hostKey } of rows) {
        const orphan = byKey.get(hostKey);
        if (orphan) found.push({ id, known: orphan.known });
      }
      after = last.id;
    }
    return pageFrom(found, limit, ({ id }) => id);
  }
}

function told({ id, known }: Found, deletion?: Open): OrphanedWorkspaces['items'][number] {
  return {
    workspaceId: id,
    why: known ? 'no_owner' : 'not_at_host',
    deletion: deletion
      ? {
          requestId: deletion.id,
          status: deletion.status,
          scheduledFor: deletion.runAfter?.toISOString() ?? null,
        }
      : null,
    path: `/v1/workspaces/${id}/deletion`,
  };
}
