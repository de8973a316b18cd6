/** Which workspaces there are, who belongs to them and as what, read through the map. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, columnIn } from './catalogue.js';
import { hasKey, keySql } from './keys.js';
import { type DataMap, type Memberships, type WorkspaceRole, workspaceRoles } from './map.js';
import { literal, qualified, quoted, type TableRef } from './names.js';
import { People } from './people.js';
import { settingsStatement, type Subject } from './settings.js';
import { valueAs } from './types.js';
import { workspacesTouchedQuery } from './walk.js';

export interface Membership {
  /** Host key of the workspace. */
  workspace: string;
  role: WorkspaceRole;
}

/** A workspace without an owner. */
export interface Orphan {
  /** Host key. */
  workspace: string;
  known: boolean;
}

/** Reads workspaces through the map, on whatever connection it is given; one statement at a time. */
export class HostWorkspaces {
  private readonly people: People;

  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {
    this.people = new People(map, catalogue);
  }

  /** The workspaces a person is a member of now, each with the highest role they have there. */
  async memberships(db: SqlRunner, subject: Pick<Subject, 'kind' | 'key'>): Promise<Membership[]> {
    return this.readMemberships(db, subject);
  }

  /** The person's role in one workspace, or undefined for those who are no member. */
  async role(
    db: SqlRunner,
    subject: Pick<Subject, 'kind' | 'key'>,
    workspace: string,
  ): Promise<WorkspaceRole | undefined> {
    return (await this.readMemberships(db, subject, workspace))[0]?.role;
  }

  /** Members of a workspace with any of these roles (all when absent). */
  async members(
    db: SqlRunner,
    workspace: string,
    roles: readonly WorkspaceRole[] = workspaceRoles,
  ): Promise<(Subject & { role: WorkspaceRole })[]> {
    const highest = new Map<string, { kind: string; key: string; role: WorkspaceRole }>();
    for (const source of this.roleSources()) {
      const condition = hasKey(this.catalogue, source.table, [source.workspace], workspace, 1);
      if (!condition) continue;
      const rows = await db.query<{ key: string | null; role: string | null }>(
        `select ${keySql(source.subject)} as key, ${source.role} as role from ${qualified(source.table)} as t ` +
          `where ${condition.sql}${source.where}`,
        condition.values,
      );
      for (const { key, role: theirs } of rows) {
        const role = source.ours(theirs);
        const id = JSON.stringify([source.kind, key]);
        if (key !== null && role && rank(role) < rank(highest.get(id)?.role))
          highest.set(id, { kind: source.kind, key, role });
      }
    }
    const found: (Subject & { role: WorkspaceRole })[] = [];
    for (const { kind, key, role } of highest.values()) {
      const subject = roles.includes(role) ? await this.people.byKey(db, kind, key) : undefined;
      if (subject) found.push({ ...subject, role });
    }
    return found;
  }

  /**
   * Those of these workspaces, by host key, that nobody owns, or (`known: false`) that the host has no row of any more.
   * One statement, however many they are. An owner counts while the host has a row of them.
   */
  async withoutOwner(db: SqlRunner, workspaces: readonly string[]): Promise<Orphan[]> {
    const w = this.map.workspaces;
    if (!w || workspaces.length === 0) return [];
    const owned = this.roleSources().flatMap((source) => {
      if (source.owners === undefined) return [];
      const here = this.isWorkspace(source.table, source.workspace);
      const lives = this.lives(source);
      return `not exists (select from ${qualified(source.table)} as t where ${here}${source.owners}${source.where}${lives})`;
    });
    const known = `exists (select from ${qualified(w.table)} as t where ${this.isWorkspace(w.table, w.key)}${and(w.where)})`;
    return db.query<Orphan>(
      `select k.key as workspace, ${known} as known from unnest($1::text[]) as k (key) ` +
        `where not ${known} or (${['true', ...owned].join(' and ')})`,
      [workspaces],
    );
  }

  /** Host keys of workspaces in a fixed order, page by page: those that come after one. */
  async keys(db: SqlRunner, limit: number, after?: string): Promise<string[]> {
    const w = this.map.workspaces;
    if (!w) return [];
    const column = `t.${quoted(w.key)}`;
    const cast = valueAs(columnIn(this.catalogue, w.table, w.key)?.base, '$1::text');
    // In the order of the column's own index where a key can be cast to its type.
    const [order, from] = cast === undefined ? [`${column}::text`, '$1::text'] : [column, `(${cast})`];
    const rows = await db.query<{ key: string }>(
      `select ${column}::text as key from ${qualified(w.table)} as t where ($1::text is null or ${order} > ${from}) ` +
        `and ${column} is not null${and(w.where)} order by ${order} limit $2`,
      [after ?? null, limit],
    );
    return rows.map(({ key }) => key);
  }

  /** That row `t` is of the workspace `k.key`, with the key cast so that the column's index serves. */
  private isWorkspace(table: TableRef, column: string): string {
    const cast = valueAs(columnIn(this.catalogue, table, column)?.base, 'k.key');
    return cast ? `t.${quoted(column)} = (${cast})` : `t.${quoted(column)}::text = k.key`;
  }

  private lives({ kind, table, subject }: RoleSource): string {
    const people = this.map.subjects[kind];
    if (!people?.table) return '';
    const { table: theirs, key } = people;
    const same = key.map((column, n) => {
      const mine = subject[n] ?? column;
      const base = (of: TableRef, name: string) => columnIn(this.catalogue, of, name)?.base;
      const cast = base(theirs, column) === base(table, mine) ? '' : '::text';
      return `p.${quoted(column)}${cast} = t.${quoted(mine)}${cast}`;
    });
    return ` and exists (select from ${qualified(theirs)} as p where ${same.join(' and ')})`;
  }

  /** The workspace's name, '' where the map names no column for it; undefined where there is no such workspace. */
  async workspaceName(db: SqlRunner, workspace: string): Promise<string | undefined> {
    const w = this.map.workspaces;
    const condition = w && hasKey(this.catalogue, w.table, [w.key], workspace, 1);
    if (!w || !condition) return undefined;
    const name = w.name === undefined ? `''` : `coalesce(t.${quoted(w.name)}::text, '')`;
    const filter = w.where === undefined ? '' : ` and (${w.where})`;
    const [row] = await db.query<{ name: string }>(
      `select ${name} as name from ${qualified(w.table)} as t where ${condition.sql}${filter}`,
      condition.values,
    );
    return row?.name;
  }

  /**
   * The workspaces, as host keys, in which rows of these people lie, over all workspace-controlled collections:
   * the parts of an account request. Memberships count only as far as a collection maps them.
   */
  async workspacesTouched(db: SqlRunner, subjects: Subject[]): Promise<string[]> {
    const touched = new Set<string>();
    const settings = settingsStatement({ subjects });
    await db.query(settings.sql, settings.values);
    for (const collection of Object.values(this.map.collections)) {
      const concerned = subjects.some(({ kind }) => collection.subject[kind]);
      if (collection.controller !== 'workspace' || collection.builtIn || !concerned) continue;
      const sql = workspacesTouchedQuery(this.map, this.catalogue, collection.name, { subjects });
      const rows = sql === undefined ? [] : await db.query<{ workspace: string | null }>(sql);
      for (const { workspace } of rows) if (workspace !== null) touched.add(workspace);
    }
    return [...touched].sort();
  }

  private async readMemberships(
    db: SqlRunner,
    { kind, key }: Pick<Subject, 'kind' | 'key'>,
    workspace?: string,
  ): Promise<Membership[]> {
    const highest = new Map<string, WorkspaceRole>();
    for (const source of this.roleSources().filter((s) => s.kind === kind)) {
      const who = hasKey(this.catalogue, source.table, source.subject, key, 1);
      const where =
        workspace === undefined
          ? undefined
          : hasKey(this.catalogue, source.table, [source.workspace], workspace, source.subject.length + 1);
      if (!who) continue;
      const rows = await db.query<{ workspace: string; role: string | null }>(
        `select t.${quoted(source.workspace)}::text as workspace, ${source.role} as role ` +
          `from ${qualified(source.table)} as t where ${who.sql}${where ? ` and ${where.sql}` : ''}${source.where}`,
        [...who.values, ...(where?.values ?? [])],
      );
      for (const row of rows) {
        const role = source.ours(row.role);
        if (role && rank(role) < rank(highest.get(row.workspace))) highest.set(row.workspace, role);
      }
    }
    return [...highest]
      .map(([id, role]) => ({ workspace: id, role }))
      .sort((a, b) => (a.workspace < b.workspace ? -1 : 1));
  }

  private roleSources(): RoleSource[] {
    const w = this.map.workspaces;
    if (!w) return [];
    const owners = Object.entries(w.owner).map(([kind, subject]): RoleSource => ({
      kind,
      subject,
      table: w.table,
      workspace: w.key,
      role: 'null::text',
      where: and(w.where),
      owners: ` and t.${subject.map(quoted).join(' is not null and t.')} is not null`,
      ours: () => 'owner',
    }));
    return [
      ...owners,
      ...w.memberships.flatMap((m) =>
        Object.entries(m.subject).map(([kind, subject]) => fromMemberships(m, kind, subject)),
      ),
    ];
  }
}

/** A table that says who is what in which workspace. */
interface RoleSource {
  kind: string;
  subject: string[];
  table: TableRef;
  workspace: string;
  /** SQL of the host's role, as text. */
  role: string;
  where: string;
  /** SQL that holds for rows of owners; undefined: nobody owns by this table. */
  owners?: string;
  /** Our role for the host's; undefined where the map names none: such a person is no member. */
  ours: (theirs: string | null) => WorkspaceRole | undefined;
}

function fromMemberships(m: Memberships, kind: string, subject: string[]): RoleSource {
  const ours = (theirs: string | null): WorkspaceRole | undefined => {
    if (m.role === undefined) return 'member';
    if (theirs === null) return undefined;
    return m.roles ? m.roles[theirs] : workspaceRoles.find((role) => role === theirs);
  };
  const role = m.role === undefined ? 'null::text' : `t.${quoted(m.role)}::text`;
  const names = Object.entries(m.roles ?? { owner: 'owner' }).flatMap(([theirs, our]) =>
    our === 'owner' ? [literal(theirs)] : [],
  );
  const owners =
    m.role === undefined || names.length === 0 ? undefined : ` and ${role} in (${names.join(', ')})`;
  return { kind, subject, table: m.table, workspace: m.workspace, role, where: and(m.where), owners, ours };
}

const and = (condition?: string): string => (condition === undefined ? '' : ` and (${condition})`);

const rank = (role?: WorkspaceRole): number => (role ? workspaceRoles.indexOf(role) : workspaceRoles.length);
