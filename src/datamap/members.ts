/** Everybody of a workspace by key alone, whatever their role, page by page; and whether somebody is left without one. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue } from './catalogue.js';
import { hasKey, keySql } from './keys.js';
import { type DataMap } from './map.js';
import { literal, qualified, quoted, type TableRef } from './names.js';

export interface MemberKey {
  kind: string;
  key: string;
}

/** A table that says who belongs to which workspace. A role that the map does not know counts, too: they are there. */
interface Source {
  kind: string;
  table: TableRef;
  workspace: string;
  subject: string[];
  where?: string;
}

export class Members {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  /** Owners and members of a workspace, ordered by kind and key, after the last one of the page before. */
  async page(
    db: SqlRunner,
    workspace: string,
    after: MemberKey | undefined,
    most: number,
  ): Promise<MemberKey[]> {
    const values: unknown[] = [after?.kind ?? '', after?.key ?? '', most];
    const queries = this.sources().flatMap((source) => {
      const { kind, table, subject } = source;
      const here = hasKey(this.catalogue, table, [source.workspace], workspace, values.length + 1);
      if (!here) return [];
      values.push(...here.values);
      return [
        `select ${literal(kind)} as kind, ${keySql(subject)} as key from ${qualified(table)} as t where ${here.sql}${and(source.where)}`,
      ];
    });
    if (queries.length === 0) return [];
    return db.query<MemberKey>(
      `select distinct m.kind collate "C" as kind, m.key collate "C" as key from (${queries.join(' union all ')}) as m ` +
        `where m.key is not null and (m.kind collate "C", m.key collate "C") > ($1, $2) order by 1, 2 limit $3`,
      values,
    );
  }

  /** Whether any of these people owns or belongs to the workspace now. */
  async include(db: SqlRunner, workspace: string, people: readonly MemberKey[]): Promise<boolean> {
    for (const { kind, table, subject, where, ...source } of this.sources()) {
      const keys = people.flatMap((one) => (one.kind === kind ? one.key : []));
      const here = hasKey(this.catalogue, table, [source.workspace], workspace, 2);
      if (keys.length === 0 || !here) continue;
      const one = `select 1 from ${qualified(table)} as t where ${here.sql} and ${keySql(subject)} = any ($1::text[])${and(where)} limit 1`;
      if ((await db.query(one, [keys, ...here.values])).length > 0) return true;
    }
    return false;
  }

  /** Whether a person owns or belongs to any workspace now. */
  async belongsAnywhere(db: SqlRunner, { kind, key }: MemberKey): Promise<boolean> {
    for (const source of this.sources()) {
      const theirs = source.kind === kind && hasKey(this.catalogue, source.table, source.subject, key, 1);
      if (!theirs) continue;
      const one = `select 1 from ${qualified(source.table)} as t where ${theirs.sql} and t.${quoted(source.workspace)} is not null${and(source.where)} limit 1`;
      if ((await db.query(one, theirs.values)).length > 0) return true;
    }
    return false;
  }

  private sources(): Source[] {
    const w = this.map.workspaces;
    if (!w) return [];
    const owners = Object.entries(w.owner).map(([kind, subject]): Source => ({
      ...{ kind, subject, table: w.table, workspace: w.key },
      ...(w.where !== undefined && { where: w.where }),
    }));
    const members = w.memberships.flatMap((m) =>
      Object.entries(m.subject).map(([kind, subject]): Source => ({
        ...{ kind, subject, table: m.table, workspace: m.workspace },
        ...(m.where !== undefined && { where: m.where }),
      })),
    );
    return [...owners, ...members];
  }
}

const and = (condition?: string): string => (condition === undefined ? '' : ` and (${condition})`);
