import { Pseudonyms } from '../audit/pseudonyms.js';
import { HOST_TENANT, type SubjectRef, type Tenancy } from '../database/tenancy.js';
import { type Database } from '../database/database.js';
import { type HostMap } from '../datamap/host-map.js';
import { unlessMisfit } from '../datamap/misfit.js';
import { workspaceId } from '../datamap/workspace-id.js';

const pseudonyms = new Pseudonyms();

const unprovenFiling = `
  select 1 from habeas.requests
  where id = $1 and filed_by = $2 and channel = 'settings' and identity_proven_at is null`;

/**
 * Where a request lies that the person filed in Settings and has not proven yet: it is nobody's so far, so that the
 * subjects of requests do not lead to it. Undefined when there is none such.
 */
export async function tenantOfUnproven(
  database: Database,
  host: HostMap,
  tenancy: Tenancy,
  person: SubjectRef,
  requestId: string,
): Promise<string | undefined> {
  const theirs = await database
    .asHost(async (read) => [
      ...(await host.workspaces.memberships(read, person)).map(({ workspace }) => workspace),
      ...(await host.workspaces.workspacesTouched(read, [{ ...person, identifiers: {} }])),
    ])
    .catch(unlessMisfit<string[]>([]));
  for (const tenant of new Set([HOST_TENANT, ...theirs.map(workspaceId)])) {
    const found = await database.within({ ...tenancy, tenant }, async (tx) => {
      const filer = await pseudonyms.find(tx, person);
      return filer !== undefined && (await tx.one(unprovenFiling, [requestId, filer])) !== undefined;
    });
    if (found) return tenant;
  }
  return undefined;
}
