/** The words of an erasure: what it is about, what it will do, and what it has done. */
import { type Subject } from '../datamap/settings.js';

/** One erasure of one person (possibly several subjects), or of a whole workspace. */
export interface ErasureJob {
  /** Erasure id, public, opaque. */
  id: string;
  /** Whose work it is: the host's for an account, else the workspace's. */
  tenant: string;
  /** Whose request, as packages.job_id. */
  jobId: string;
  scope: 'account' | 'person' | 'workspace';
  /** With their identifiers, unsealed in memory only. Empty for a workspace. */
  subjects: Subject[];
  /** Host keys of the workspaces that take part. */
  workspaces: string[];
  /** subjectId(subject) → uuid, drawn once at planning; for a workspace by `workspace:<host key>`. */
  pseudonyms: Record<string, string>;
  /** Names they went by, for the residue search; unsealed in memory only. */
  names?: string[];
  /** What stays although the map would have it go, because a refusal says so: a hold, say. */
  kept?: Kept[];
}

/** Rows of one collection, in one workspace or of the account, that an erasure leaves as they are. */
export interface Kept {
  collection: string;
  /** Host key; absent for what belongs to the account. */
  workspace?: string;
  ground: string;
  until?: string;
}

export type ErasureRule = 'delete' | 'pseudonymise' | 'clear' | 'tombstone' | 'keep';

/** What becomes of one collection, in one workspace or for the account. */
export interface StepPlan {
  collection: string;
  controller: 'host' | 'workspace';
  /** Host key; absent for what belongs to the account. */
  workspace?: string;
  rule: ErasureRule;
  /** Of `keep`, and of rows that stay because kept ones refer to them. */
  ground?: string;
  until?: string;
  /** At planning. */
  rows: number;
  files: number;
  /** Rows of a `shared` collection that stay for the others in them. Absent: none. */
  stays?: number;
}

/** Steps in the order they run: workspaces first, the account last. */
export interface ErasurePlan {
  steps: StepPlan[];
}

export interface StepOutcome extends StepPlan {
  /** Rows deleted, changed, or turned into tombstones. */
  done: number;
  /** Files that are verified gone. */
  filesRemoved: number;
  /** Tombstones whose row still has to be swept. */
  pendingSweep: number;
  /** Other people's rows whose pointer to what is gone their foreign key has cleared. Absent: none. */
  pointersCleared?: number;
  /** Shared rows that stay for others, and name the person no more. Absent: none. */
  letGo?: number;
}

/** Why a job leaves these rows as they are; undefined: it does not. */
export const keptBy = ({ kept = [] }: Pick<ErasureJob, 'kept'>, collection: string, workspace?: string) =>
  kept.find((one) => one.collection === collection && one.workspace === workspace);

/** How a subject is named in `pseudonyms`. */
export const subjectId = ({ kind, key }: Pick<Subject, 'kind' | 'key'>): string => `${kind}:${key}`;
