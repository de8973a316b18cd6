/** Names the layout of a package; a change that breaks readers gets the next number. */
export const PACKAGE_FORMAT = 'habeas-package/1';

/** One `data/<collection>.json`: a JSON array, one row a line, ordered by key. */
export interface DataFile {
  collection: string;
  title: string;
  path: string;
  rows: number;
  bytes: number;
  sha256: string;
  /** Values in it that are ciphertext: exported as stored, not intelligible to anybody without the host's key. */
  sealedValues: number;
  /** The columns that hold them, where there are any: bytes in base64, else as the host keeps them. */
  sealedColumns?: string[];
  controller: 'host' | 'workspace';
  purpose: string;
}

/** One attachment, at `path` in the package; `key` is the row of the collection that names it. */
export interface AttachedFile {
  collection: string;
  key: unknown;
  name: string | null;
  path: string;
  bytes: number;
  sha256: string;
}

/** A file that a row names and that the store does not have. */
export interface MissingFile {
  collection: string;
  key: unknown;
  name: string | null;
}

/** What is told about processing, by one controller (GDPR Art. 15(1)–(2)). */
export interface LegalInformation {
  controller: { name: string; contact?: string; dpo?: string; authority?: string; establishment?: string };
  /** Of which workspace; absent: the host. */
  workspaceId?: string;
  items: { code: string; article: string | null; title: string; text: readonly string[] }[];
}

/** A part that is not in the package. */
export interface LeftOutPart {
  workspaceId: string;
  name?: string;
  reason: 'refused' | 'not_decided_in_time';
}

/** A workspace that an account reaches into, whether its part is in the package or was left out. */
export interface WorkspaceTouched {
  id: string;
  name?: string;
  /** What its data are tagged with; null where the workspace has none. */
  region: { id: string; name: string } | null;
}

/** `manifest.json`: what the package is, what is in it, and how to check that it is whole. */
export interface Manifest {
  format: typeof PACKAGE_FORMAT;
  id: string;
  requestId: string;
  scope: 'account' | 'person' | 'workspace';
  workspaceId?: string;
  /** Where the data was read, and what that means in law; logical today. null: an account has none of its own. */
  region: { id: string; name: string } | null;
  /** With scope account only: each with a region of its own. */
  workspaces?: WorkspaceTouched[];
  generatedAt: string;
  /** sha256 of the data map by which it was built. */
  dataMapHash: string;
  subjects: { kind: string; key: string }[];
  legalInformation: LegalInformation[];
  leftOut: LeftOutPart[];
  sealedValues: number;
  data: DataFile[];
  files: AttachedFile[];
  missingFiles: MissingFile[];
}
