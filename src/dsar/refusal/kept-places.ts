import { type Catalogue, tableIn } from '../../datamap/catalogue.js';
import { isDeleted } from '../../datamap/changes.js';
import { type DataMap } from '../../datamap/map.js';
import { qualified } from '../../datamap/names.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Kept } from '../../deletion/erasure.js';
import { placesOf } from '../../deletion/erasure-places.js';
import { type Hold } from '../../deletion/holds/holds.js';
import { groundFor } from './ground-for.js';
import { type Part } from '../parts.js';
import { type Request } from '../request.js';

/** Rows of one collection in one tenant: what a deletion takes, a hold covers, and a refusal keeps. */
export interface PlaceOfRows {
  tenant: string;
  collection: string;
  /** Host key; absent for what belongs to the account. */
  workspace?: string;
}

export const samePlace = (one: PlaceOfRows, other: Omit<PlaceOfRows, 'tenant'>): boolean =>
  one.collection === other.collection && one.workspace === other.workspace;

/** Everything that a deletion of these people in these parts would change: as the eraser goes, with or without rows. */
export function placesTaken(
  map: DataMap,
  parts: readonly Pick<Part, 'tenant' | 'hostKey'>[],
  subjects: readonly SubjectRef[],
): PlaceOfRows[] {
  const job = {
    ...{ id: '', tenant: '', jobId: '', pseudonyms: {} },
    scope: parts.some(({ tenant }) => tenant === HOST_TENANT) ? ('account' as const) : ('person' as const),
    subjects: subjects.map(({ kind, key }) => ({ kind, key, identifiers: {} })),
    workspaces: parts.flatMap(({ hostKey }) => hostKey ?? []),
  };
  return Object.values(map.collections)
    .filter(({ builtIn, erasure }) => !builtIn && erasure.rule !== 'keep')
    .flatMap((collection) =>
      placesOf(job, collection).map(({ workspace }) => ({
        tenant: workspace === undefined ? HOST_TENANT : workspaceId(workspace),
        collection: collection.name,
        ...(workspace !== undefined && { workspace }),
      })),
    );
}

/**
 * Whether a hold of a tenant covers a place. One of the host's reaches everywhere, because all of it is in the host's
 * hands; a workspace's reaches its own rows, and those the host decides about only where it names the collection.
 */
export const covers = (
  { tenant, collection }: Pick<Hold, 'collection'> & { tenant: string },
  place: PlaceOfRows,
): boolean =>
  (collection === null || collection === place.collection) &&
  (tenant === HOST_TENANT ||
    tenant === place.tenant ||
    (collection !== null && place.tenant === HOST_TENANT));

/**
 * These places, and those whose rows they point at by a foreign key: a row that is kept may neither lose its parent
 * nor go along with it. A parent that is only pseudonymised stays a row, so it is not kept back.
 */
export function withParents(
  map: DataMap,
  catalogue: Catalogue,
  kept: readonly PlaceOfRows[],
  all: readonly PlaceOfRows[],
): PlaceOfRows[] {
  const found = [...kept];
  for (const place of found) {
    const child = map.collections[place.collection];
    const targets = (child && tableIn(catalogue, child.table)?.foreignKeys) ?? [];
    const names = new Set(targets.map(({ target }) => qualified(target)));
    for (const other of all) {
      const parent = map.collections[other.collection];
      const near = other.tenant === place.tenant || other.tenant === HOST_TENANT;
      if (!parent || !near || !isDeleted(parent) || !names.has(qualified(parent.table))) continue;
      if (!found.some((one) => samePlace(one, other))) found.push(other);
    }
  }
  return found;
}

const keptByRefusals = `
  select r.collection, r.ground, r.part_tenant_id as "tenant", p.host_key as "workspace"
  from habeas.request_refusals r
  join habeas.request_parts p on p.request_id = r.request_id and p.tenant_id = r.part_tenant_id
  where r.request_id = $1 and r.collection is not null
  order by r.created_at, r.collection`;

/** Each place once, with what the plan and the certificate say of it: every ground in the law that keeps it, no more. */
export function keptFor(
  request: Request,
  places: readonly (Omit<PlaceOfRows, 'tenant'> & Pick<Kept, 'ground'>)[],
): Kept[] {
  const one = ({ collection, workspace }: Omit<PlaceOfRows, 'tenant'>) =>
    JSON.stringify([collection, workspace]);
  return [...Map.groupBy(places, one).values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const grounds = [...new Set(same.map(({ ground }) => ground))].map((code) => groundFor(request, code));
    return {
      collection: first.collection,
      ...(first.workspace !== undefined && { workspace: first.workspace }),
      ground: grounds.map(({ title, source }) => `${title} (${source})`).join('; '),
      until: 'The reason for keeping it has ended.',
    };
  });
}

/** What refusals of this request keep, collection by collection, with the code of the ground. */
export async function keptOf(
  tx: UnitOfWork,
  { id }: Pick<Request, 'id'>,
): Promise<(PlaceOfRows & Pick<Kept, 'ground'>)[]> {
  const rows = await tx.query<{
    collection: string;
    ground: string;
    tenant: string;
    workspace: string | null;
  }>(keptByRefusals, [id]);
  return rows.map(({ workspace, ...row }) => ({ ...row, ...(workspace !== null && { workspace }) }));
}
