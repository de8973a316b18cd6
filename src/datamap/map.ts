/**
 * The data map as the rest of Habeas walks it: every name resolved, every list a list. Made from what the
 * author wrote (schema.ts) by resolve(); whether it fits the database is check.ts's question.
 */
import { type TableRef } from './names.js';
import {
  type Classification,
  type ControllerProfile,
  type Erasure,
  type ErasureScope,
  type Normaliser,
  type RecipientSource,
  type Retention,
} from './schema.js';

export const workspaceRoles = ['owner', 'admin', 'member', 'viewer'] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

export interface Identifier {
  name: string;
  /** Absent for kinds without a table. */
  column?: string;
  normalise: Normaliser;
}

export interface SubjectKind {
  name: string;
  /** Absent: known only by `identifiers`, of which there is exactly one, and whose value is the key. */
  table?: TableRef;
  key: string[];
  where?: string;
  identifiers: Record<string, Identifier>;
  display: string[];
  language?: string;
  jurisdiction?: string;
  signIn?: { claim: string; column: string };
}

export interface Join {
  table: TableRef;
  /** [column of the table before, column of this table] */
  on: [string, string][];
  where?: string;
}

/** A way from a collection's row to a person's or a workspace's key or identifier. */
export interface Path {
  /** More than one for composite keys only. */
  columns: string[];
  join: Join[];
  json?: string[];
  array: boolean;
  /** The identifier the column holds; absent: the key. */
  as?: string;
  where?: string;
}

export interface Memberships {
  table: TableRef;
  workspace: string;
  /** kind → columns of its key */
  subject: Record<string, string[]>;
  role?: string;
  /** host's role → ours; absent: the same names */
  roles?: Record<string, WorkspaceRole>;
  where?: string;
}

export interface Workspaces {
  table: TableRef;
  key: string;
  name?: string;
  where?: string;
  owner: Record<string, string[]>;
  memberships: Memberships[];
  /** What becomes of the accounts of members who are left without any workspace when theirs is deleted. */
  peopleLeft: 'erase' | 'keep';
}

export interface Collection {
  name: string;
  table: TableRef;
  /** To the person whose rows they are. */
  title: string;
  /** To owners, of everybody's rows in their workspace. */
  workspaceTitle: string;
  where?: string;
  /** Absent: the primary key, from the catalogue. */
  key?: string[];
  /** kind → paths, any of which may hit; empty: reaches nobody by itself */
  subject: Record<string, Path[]>;
  /** Empty: belongs to the account. */
  workspace: Path[];
  controller: 'host' | 'workspace';
  purpose: string;
  legalBasis: string;
  recipients: string[];
  retention: Retention;
  columns: Record<string, Classification>;
  files?: { bucket: { column: string } | { constant: string }; path: string; name?: string };
  shared?: 'keep-if-others';
  erasure: Erasure;
  /** One of Habeas's own tables. */
  builtIn: boolean;
}

/** What readers of a request are told about rows of a collection; the name of one that the map has no more. */
export function titleIn(map: DataMap, name: string, scope: 'account' | 'person' | 'workspace'): string {
  const { title = name, workspaceTitle = name } = map.collections[name] ?? {};
  return scope === 'workspace' ? workspaceTitle : title;
}

/** Who was handed the data of people, and how they are told of an erasure. */
export type Recipient = RecipientSource & {
  name: string;
  scope: ErasureScope[];
};

export type Exemption =
  { table: TableRef; reason: string } | { table: TableRef; column: string; reason: string };

export interface DataMap {
  /** sha256 (hex) of the canonical form: the same for the same meaning, whatever the layout of the file. */
  hash: string;
  schema: string;
  subjects: Record<string, SubjectKind>;
  workspaces?: Workspaces;
  controller: ControllerProfile;
  collections: Record<string, Collection>;
  /** Those that the author declared, and `sessions` where people sign in and nothing else ends their sessions. */
  recipients: Record<string, Recipient>;
  exempt: Exemption[];
}

/** Every table the map names: collections, kinds, workspaces, memberships and what paths join. */
export function tablesOf(map: DataMap): TableRef[] {
  const paths = Object.values(map.collections).flatMap((c) => [
    ...Object.values(c.subject).flat(),
    ...c.workspace,
  ]);
  const all = [
    ...Object.values(map.collections).map((c) => c.table),
    ...Object.values(map.subjects).flatMap((s) => s.table ?? []),
    ...(map.workspaces ? [map.workspaces.table, ...map.workspaces.memberships.map((m) => m.table)] : []),
    ...paths.flatMap((p) => p.join.map((j) => j.table)),
  ];
  return [...new Map(all.map((table) => [JSON.stringify([table.schema, table.name]), table])).values()];
}

/** The normaliser of what a path's column holds: a key as it is stored, or an identifier's own. */
export function normaliserOf(map: DataMap, kind: string, as?: string): Normaliser {
  const subject = map.subjects[kind];
  if (as !== undefined) return subject?.identifiers[as]?.normalise ?? 'exact';
  return subject?.table ? 'exact' : (Object.values(subject?.identifiers ?? {})[0]?.normalise ?? 'exact');
}
