/** Which rows of a collection are one step's: the same places that an access package would show them in. */
import { type Collection } from '../datamap/map.js';
import { type Selection } from '../datamap/settings.js';
import { reaches } from '../datamap/walk.js';
import { type ErasureJob } from './erasure.js';

export interface Place {
  /** Host key; absent for the account, and for rows that lead to no workspace. */
  workspace?: string;
  selection: Selection;
}

/** The places in which a collection is erased; empty where the job does not reach it. */
export function placesOf(job: ErasureJob, collection: Collection): Place[] {
  if (collection.builtIn) return [];
  const people = job.scope === 'workspace' ? {} : { subjects: job.subjects };
  const inWorkspaces = byWorkspace(job, collection);
  const places: Place[] = inWorkspaces
    ? job.workspaces.map((workspace) => ({ workspace, selection: { ...people, workspaces: [workspace] } }))
    : [{ selection: people }];
  if (inWorkspaces && job.scope === 'account') places.push({ selection: { ...people, unplaced: true } });
  return places.filter(({ selection }) => reaches(collection, selection));
}

/** What a workspace decides about goes by workspace, and what leads to no workspace is left to the host. */
export const byWorkspace = ({ scope }: ErasureJob, { controller, workspace }: Collection): boolean =>
  scope !== 'account' || (controller === 'workspace' && workspace.length > 0);

/** The selection of a step that was planned, by its workspace. */
export const selectionOf = (
  job: ErasureJob,
  collection: Collection,
  workspace: string | undefined,
): Selection | undefined =>
  placesOf(job, collection).find((place) => place.workspace === workspace)?.selection;
