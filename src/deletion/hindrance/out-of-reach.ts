/** Rows that an erasure may not take along although they are nobody else's: what it was not asked to erase. */
import { type Collection } from '../../datamap/map.js';
import { literal } from '../../datamap/names.js';
import { pathValues, workspacesOfRow } from '../../datamap/paths.js';
import { byWorkspace } from '../erasure-places.js';
import { type ErasureJob } from '../erasure.js';

/**
 * Conditions about a row `t` of the collection: it lies where this job erases nothing (another workspace than those of the
 * job, the account while it is about one workspace), or in a place that a refusal keeps.
 */
export function outOfReach(job: ErasureJob, collection: Collection): string[] {
  if (job.scope === 'workspace') return [`${leadsNowhere(collection)} and ${leadsToSomebody(collection)}`];
  const kept = (job.kept ?? []).filter((one) => one.collection === collection.name);
  if (!byWorkspace(job, collection)) return kept.length > 0 ? ['true'] : [];
  const elsewhere = `w.v <> all (array[${job.workspaces.map(literal).join(', ')}]::text[])`;
  return [
    leads(collection, elsewhere),
    ...(job.scope === 'person' ? [`${leadsNowhere(collection)} and ${leadsToSomebody(collection)}`] : []),
    ...kept.map(({ workspace }) =>
      workspace === undefined ? leadsNowhere(collection) : leads(collection, `w.v = ${literal(workspace)}`),
    ),
  ];
}

function leads(collection: Collection, condition: string): string {
  if (collection.workspace.length === 0) return 'false';
  return `exists (select from (${workspacesOfRow(collection)}) as w where w.v is not null and ${condition})`;
}

const leadsNowhere = (collection: Collection): string => `not ${leads(collection, 'true')}`;

function leadsToSomebody({ subject }: Collection): string {
  const people = Object.values(subject)
    .flat()
    .flatMap((path) => path.columns.map((column) => pathValues({ ...path, columns: [column] })));
  if (people.length === 0) return 'false';
  return `exists (select from (${people.join(' union all ')}) as o where o.v is not null and o.v <> '')`;
}
