/** From what the author wrote to the map that is walked; problems carry the way to where they stand. */
import { createHash } from 'node:crypto';
import { parseTable, type TableRef } from './names.js';
import {
  type Collection,
  type DataMap,
  type Exemption,
  type Memberships,
  type Path,
  type SubjectKind,
  type WorkspaceRole,
  workspaceRoles,
} from './map.js';
import { recipientsOf } from './recipients.js';
import {
  type CollectionSource,
  type DataMapSource,
  type MembershipsSource,
  type PathSource,
  type SubjectSource,
} from './schema.js';

export interface Problem {
  path: (string | number)[];
  message: string;
}

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Drops undefined, so that an absent setting and an unset one have one canonical form. */
const present = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;

export class Resolver {
  readonly problems: Problem[] = [];

  constructor(
    private readonly source: Pick<DataMapSource, 'schema'>,
    private readonly builtIn = false,
  ) {}

  resolve(source: DataMapSource): DataMap {
    const map = {
      schema: source.schema,
      subjects: mapValues(source.subjects, (s, name) => this.subject(name, s)),
      workspaces: source.workspaces === 'none' ? undefined : this.workspaces(source.workspaces),
      controller: source.controller,
      collections: this.collections(source.collections),
      recipients: recipientsOf(source),
      exempt: this.exemptions(source.exempt),
    };
    return { ...present(map), hash: hashOf(map) };
  }

  collections(sources: Record<string, CollectionSource>): Record<string, Collection> {
    return mapValues(sources, (c, name) => this.collection(name, c));
  }

  exemptions(sources: DataMapSource['exempt']): Exemption[] {
    return sources.map((entry, index) => {
      if ('table' in entry)
        return { table: this.table(entry.table, ['exempt', index, 'table']), reason: entry.reason };
      const dot = entry.column.lastIndexOf('.');
      if (dot < 1)
        this.problems.push({
          path: ['exempt', index, 'column'],
          message: 'write table.column (patterns allowed)',
        });
      const table = this.table(entry.column.slice(0, Math.max(dot, 1)), ['exempt', index, 'column']);
      return { table, column: entry.column.slice(dot + 1), reason: entry.reason };
    });
  }

  private subject(name: string, s: SubjectSource): SubjectKind {
    return present({
      name,
      table: s.table === undefined ? undefined : this.table(s.table, ['subjects', name, 'table']),
      key: list(s.key),
      where: s.where,
      identifiers: mapValues(s.identifiers, (identifier, id) => present({ name: id, ...identifier })),
      display: list(s.display),
      language: s.language,
      jurisdiction: s.jurisdiction,
      signIn: s.signIn,
    });
  }

  private workspaces(w: Exclude<DataMapSource['workspaces'], 'none'>): NonNullable<DataMap['workspaces']> {
    return present({
      table: this.table(w.table, ['workspaces', 'table']),
      key: w.key,
      name: w.name,
      where: w.where,
      owner: mapValues(w.owner ?? {}, (columns) => list(columns)),
      memberships: list(w.memberships).map((m) => this.memberships(m)),
      peopleLeft: w.peopleLeft ?? 'keep',
    });
  }

  private memberships(m: MembershipsSource): Memberships {
    return present({
      table: this.table(m.table, ['workspaces', 'memberships', 'table']),
      workspace: m.workspace,
      subject: mapValues(m.subject, (columns) => list(columns)),
      role: m.role,
      roles: m.roles && hostRoles(m.roles),
      where: m.where,
    });
  }

  private collection(name: string, c: CollectionSource): Collection {
    const at = ['collections', name];
    return present({
      name,
      table: this.table(c.table, [...at, 'table']),
      title: c.title ?? inWords(name),
      workspaceTitle: c.workspaceTitle ?? upperFirst(inWords(name)),
      where: c.where,
      key: c.key,
      subject:
        c.subject === 'none'
          ? {}
          : mapValues(c.subject, (p, kind) => this.paths(p, [...at, 'subject', kind])),
      workspace: c.workspace === 'none' ? [] : this.paths(c.workspace, [...at, 'workspace']),
      controller: c.controller,
      purpose: c.purpose,
      legalBasis: c.legalBasis,
      recipients: c.recipients,
      retention: c.retention,
      columns: mapValues(c.columns, (column) => column),
      files:
        c.files &&
        present({
          ...c.files,
          bucket: typeof c.files.bucket === 'string' ? { column: c.files.bucket } : c.files.bucket,
        }),
      shared: c.shared,
      erasure: c.erasure,
      builtIn: this.builtIn,
    });
  }

  private paths(source: PathSource, at: (string | number)[]): Path[] {
    return list(source).map((entry, index) => {
      if (typeof entry === 'string') return { columns: [entry], join: [], array: false };
      const join = (entry.join ?? []).map((j, step) =>
        present({
          table: this.table(j.table, [
            ...at,
            ...(Array.isArray(source) ? [index] : []),
            'join',
            step,
            'table',
          ]),
          on: Object.entries(j.on),
          where: j.where,
        }),
      );
      const columns = entry.columns ?? list(entry.column);
      return present({
        columns,
        join,
        json: entry.json,
        array: entry.array ?? false,
        as: entry.as,
        where: entry.where,
      });
    });
  }

  private table(text: string, path: (string | number)[]): TableRef {
    const table = parseTable(text, this.source.schema);
    if (!table) this.problems.push({ path, message: 'is not a table name: write table or schema.table' });
    return table ?? { schema: this.source.schema, name: text };
  }
}

function hostRoles(roles: NonNullable<MembershipsSource['roles']>): Record<string, WorkspaceRole> {
  const pairs = workspaceRoles.flatMap((ours) =>
    (roles[ours] ?? []).map((theirs): [string, WorkspaceRole] => [theirs, ours]),
  );
  return mapValues(Object.fromEntries(pairs), (role) => role);
}

/** Without a prototype: a kind or column that somebody asks for is never `constructor` by accident. */
export const mapValues = <V, R>(
  record: Record<string, V>,
  change: (value: V, key: string) => R,
): Record<string, R> =>
  Object.assign(
    Object.create(null) as Record<string, R>,
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)])),
  );

/** sha256 over JSON with sorted keys: order and layout of the file do not matter, every meaning does. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
}

const inWords = (name: string): string => name.replaceAll(/[_-]+/g, ' ');
const upperFirst = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
