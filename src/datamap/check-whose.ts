/**
 * Whose rows are, told for whole tables at once. Whoever a row leads to becomes a text, and so does everything that one
 * of them is known by: where the two overlap the row is theirs.
 */
import { type Catalogue, columnIn } from './catalogue.js';
import { keySql } from './keys.js';
import { type Collection, type DataMap, normaliserOf, type Path, type SubjectKind } from './map.js';
import { literal, qualified, quoted, type TableRef } from './names.js';
import { normaliseSql } from './normalise.js';
import { pathValues } from './paths.js';
import { valueAs } from './types.js';

/** A way from a row to somebody of this kind; of no kind, to a workspace. */
export interface Way {
  kind?: string;
  path: Path;
}

/** Those who are erased, each by themselves. SQL about a row `t` of a table. */
export interface Whose {
  ways(collection: Collection): Way[];
  /** `select … as v`: whom the row leads to by this way, by name. */
  names(way: Way): string;
  /**
   * Whoever the row leads to by this way, if they are there: after `cross join lateral (${values}) as v` comes `join`,
   * which answers `s.w`, all names that one of them is known by.
   */
  holders(way: Way): { values: string; join: string };
}

/** An address that an erasure has left is nobody's. */
const PSEUDONYM_MAIL = `'^deleted-[0-9a-f-]{36}@deleted[.]invalid$'`;

const textsOf = (path: Path): string =>
  `select o.v from (${pathValues(path)}) as o where o.v <> '' and o.v !~ ${PSEUDONYM_MAIL}`;

/** What an exact column is found by, so that its index serves where there is one; else undefined. */
const typed = (catalogue: Catalogue, table: TableRef, column: string): string | undefined =>
  valueAs(columnIn(catalogue, table, column)?.base, 'v.v');

export class WhosePeople implements Whose {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  ways({ subject }: Collection): Way[] {
    return Object.entries(subject).flatMap(([kind, paths]) => paths.map((path) => ({ kind, path })));
  }

  names({ kind, path }: Way): string {
    const name = this.name(this.kind(kind), path.as, 'o.v');
    return `select n.v from (select ${name} as v from (${textsOf(path)}) as o) as n where n.v is not null`;
  }

  holders({ kind: of, path }: Way): { values: string; join: string } {
    const values = textsOf(path);
    const kind = this.kind(of);
    const { table, where } = kind;
    const wanted = this.name(kind, path.as, 'v.v');
    if (!table) return { values, join: `cross join lateral (select array[${wanted}] as w) as s` };
    const columns = path.as === undefined ? kind.key : [kind.identifiers[path.as]?.column ?? ''];
    const isExact = columns.length === 1 && normaliserOf(this.map, kind.name, path.as) === 'exact';
    const cast = isExact ? typed(this.catalogue, table, columns[0] as string) : undefined;
    const match = cast ? `t.${quoted(columns[0] as string)}` : this.name(kind, path.as, keySql(columns));
    const own = [
      this.name(kind, undefined, keySql(kind.key)),
      ...Object.values(kind.identifiers).map(({ name, column = '' }) =>
        this.name(kind, name, `t.${quoted(column)}::text`),
      ),
    ];
    return {
      values,
      join:
        `join (select ${match} as m, array_remove(array[${own.join(', ')}], null) as w from ${qualified(table)} as t` +
        `${where === undefined ? '' : ` where (${where})`}) as s on s.m = (${cast ?? wanted})`,
    };
  }

  /** An identifier says who somebody is wherever it stands; a key only among the kinds of one table. */
  private name(kind: SubjectKind, as: string | undefined, text: string): string {
    const normaliser = normaliserOf(this.map, kind.name, as);
    const normal = normaliseSql(normaliser, text, this.catalogue.fold);
    const folded = normaliser === 'exact' && this.isCaseless(kind, as) ? `lower(${normal})` : normal;
    const among = as === undefined && kind.table ? qualified(kind.table) : '';
    return `${literal(`${among} `)} || nullif(${folded}, '')`;
  }

  /** As the database compares them: keys that differ in case only are the same. */
  private isCaseless({ table, key, identifiers }: SubjectKind, as: string | undefined): boolean {
    const columns = as === undefined ? key : [identifiers[as]?.column ?? ''];
    const bases = table ? columns.map((column) => columnIn(this.catalogue, table, column)?.base) : [];
    return bases.some((base) => base?.endsWith('.citext'));
  }

  private kind(name = ''): SubjectKind {
    const kind = this.map.subjects[name];
    if (!kind) throw new Error('a path leads to a kind that the map has');
    return kind;
  }
}

export class WhoseWorkspaces implements Whose {
  constructor(
    private readonly workspaces: NonNullable<DataMap['workspaces']>,
    private readonly catalogue: Catalogue,
  ) {}

  ways({ workspace }: Collection): Way[] {
    return workspace.map((path) => ({ path }));
  }

  names({ path }: Way): string {
    return textsOf(path);
  }

  holders({ path }: Way): { values: string; join: string } {
    const { table, key, where } = this.workspaces;
    const cast = typed(this.catalogue, table, key);
    const own = `t.${quoted(key)}::text`;
    return {
      values: textsOf(path),
      join:
        `join (select ${cast ? `t.${quoted(key)}` : own} as m, array[${own}] as w from ${qualified(table)} as t` +
        `${where === undefined ? '' : ` where (${where})`}) as s on s.m = (${cast ?? 'v.v'})`,
    };
  }
}
