/**
 * Who else a row concerns. A foreign key that reaches somebody else's row is no reason to erase it (invariant 11),
 * so whatever a delete would take along by ON DELETE CASCADE is looked at first: it may belong to the people who
 * are being erased, or to nobody, but to nobody else and to no table that the map does not know.
 */
import {
  type Catalogue,
  columnIn,
  tableIn,
  type CatalogueTable,
  type ForeignKey,
} from '../datamap/catalogue.js';
import { type Collection, type DataMap, normaliserOf, type Path } from '../datamap/map.js';
import { qualified, quoted, shown, type TableRef } from '../datamap/names.js';
import { normaliseSql } from '../datamap/normalise.js';
import { pathValues, workspacesOfRow } from '../datamap/paths.js';
import { allOwnSql, workspacesSql } from '../datamap/settings.js';
import { valueAs } from '../datamap/types.js';
import { DomainError } from '../errors.js';

/** A mail or key of somebody who has been erased before is nobody's. */
export const PSEUDONYM_MAIL =
  '^deleted-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@deleted[.]invalid$';

/** SQL about the row `t`; reads the settings of the selection that is being erased. */
export class Bystanders {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    /** Whose rows go: those of people, or those of workspaces. */
    private readonly about: 'people' | 'workspaces',
  ) {}

  /** Condition: the row of this table concerns somebody who is not being erased. */
  onRow(table: TableRef): string {
    const mapped = this.collectionsOn(table);
    const conditions =
      this.about === 'people'
        ? mapped.flatMap((collection) => this.otherPeople(collection))
        : mapped.flatMap((collection) => this.otherWorkspaces(collection));
    return conditions.length === 0 ? 'false' : `(${[...new Set(conditions)].join(' or ')})`;
  }

  /** Condition: deleting the row would take nobody else's row along. Undefined where nothing cascades from it. */
  takesNobodyAlong(table: CatalogueTable, seen: readonly string[] = []): string | undefined {
    const here = [...seen, qualified(table)];
    const conditions = this.childrenOf(table)
      .filter(({ key }) => key.onDelete === 'cascade')
      .map(({ child, key }) => {
        // Nobody may look into it (it is not granted), so nobody knows whose rows would go.
        if (this.collectionsOn(child).length === 0) throw cascadesOut(table, child, key);
        return `not ${this.someChild(child, key, this.mustStay(child, here))}`;
      });
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  /** Names of the foreign keys by which a delete would go on to other tables, with the table each is of. */
  cascadesOf(table: CatalogueTable): string[] {
    return this.childrenOf(table)
      .filter(({ key }) => key.onDelete === 'cascade')
      .map(({ child, key }) => `${key.name} (table ${shown(child)})`);
  }

  /**
   * How many rows of others point at this one by a key that would only be cleared with it (ON DELETE SET NULL or
   * DEFAULT). Undefined where no such key is. Tables that the map does not know cannot be looked into.
   */
  pointersOfOthers(table: CatalogueTable): string | undefined {
    const counts = this.childrenOf(table)
      .filter(({ key }) => key.onDelete === 'set null' || key.onDelete === 'set default')
      .filter(({ child }) => this.collectionsOn(child).length > 0)
      .map(({ child, key }) => `(select count(*) ${this.childrenIn(child, key, this.onRow(child))})`);
    return counts.length === 0 ? undefined : `(${counts.join(' + ')})`;
  }

  /** Condition: no row of a mapped table refers to it by a key that would stop its delete. */
  holdsNoParent(table: CatalogueTable): string | undefined {
    const conditions = this.childrenOf(table)
      .filter(({ key }) => key.onDelete === 'no action' || key.onDelete === 'restrict')
      .filter(({ child }) => this.collectionsOn(child).length > 0)
      .map(({ child, key }) => `not ${this.someChild(child, key, 'true')}`);
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  private mustStay(child: CatalogueTable, seen: readonly string[]): string {
    const mapped = this.collectionsOn(child);
    // What names files, and what would cascade in a circle, has to go by its own step.
    if (mapped.some(({ files }) => files) || seen.includes(qualified(child))) return 'true';
    const kept = mapped
      .filter(({ erasure }) => erasure.rule === 'keep')
      .map(({ where }) => `(${where ?? 'true'})`);
    const further = this.takesNobodyAlong(child, seen);
    return [...kept, this.onRow(child), ...(further === undefined ? [] : [`not (${further})`])]
      .map((condition) => `(${condition}) is true`)
      .join(' or ');
  }

  /** A row of the child's table that refers to `t` and of which `condition` is true; in there `t` is the child's row. */
  private someChild(child: CatalogueTable, key: ForeignKey, condition: string): string {
    return `exists (select ${this.childrenIn(child, key, condition)})`;
  }

  private childrenIn(child: CatalogueTable, key: ForeignKey, condition: string): string {
    const parent = key.targetColumns.map((column, n) => `t.${quoted(column)} as k${n}`);
    const same = key.columns.map((column, n) => `t.${quoted(column)} = p.k${n}`);
    // A row may refer to itself: that one goes with itself.
    const itself = qualified(child) === qualified(key.target);
    if (itself) parent.push('t.tableoid as o', 't.ctid as c');
    const another = itself ? ' and (t.tableoid <> p.o or t.ctid <> p.c)' : '';
    return (
      `from (select ${parent.join(', ')}) as p, ${qualified(child)} as t ` +
      `where ${same.join(' and ')}${another} and (${condition})`
    );
  }

  private childrenOf(table: CatalogueTable): { child: CatalogueTable; key: ForeignKey }[] {
    return (
      [...this.catalogue.tables.values()]
        // A partition repeats its parent's keys.
        .filter(({ root }) => root === undefined || tableIn(this.catalogue, root)?.kind !== 'partitioned')
        .flatMap((child) =>
          child.foreignKeys
            .filter(({ target }) => qualified(target) === qualified(table))
            .map((key) => ({ child, key })),
        )
    );
  }

  private collectionsOn(table: TableRef): Collection[] {
    return Object.values(this.map.collections).filter(
      (c) => !c.builtIn && qualified(c.table) === qualified(table),
    );
  }

  private otherPeople({ subject, where }: Collection): string[] {
    return Object.entries(subject).flatMap(([kind, paths]) =>
      paths.map((path) => {
        const normaliser = normaliserOf(this.map, kind, path.as);
        const value = normaliseSql(normaliser, 'o.v', this.catalogue.fold);
        const other =
          `exists (select from (${valuesOf(path)}) as o where o.v is not null and o.v <> '' ` +
          `and ${value} <> all (array(select own.v from (${allOwnSql()}) as own where own.v is not null)) and o.v !~ '${PSEUDONYM_MAIL}'${this.notErased(kind, path)})`;
        return where === undefined ? other : `(${other} and (${where}))`;
      }),
    );
  }

  /** Somebody whose own row has been pseudonymised is not left on anything. */
  private notErased(kind: string, path: Path): string {
    const { table, key } = this.map.subjects[kind] ?? {};
    if (!table || key?.length !== 1 || path.as !== undefined) return '';
    const mails = this.collectionsOn(table).flatMap(({ erasure }) =>
      erasure.rule === 'pseudonymise'
        ? Object.entries(erasure.set).flatMap(([column, value]) =>
            value === 'pseudonym-mail' ? [column] : [],
          )
        : [],
    );
    const column = key[0] as string;
    const [mail] = mails;
    const wanted = valueAs(columnIn(this.catalogue, table, column)?.base, 'o.v');
    if (mail === undefined || wanted === undefined) return '';
    return (
      ` and not exists (select from ${qualified(table)} as t where t.${quoted(column)} = (${wanted}) ` +
      `and t.${quoted(mail)}::text ~ '${PSEUDONYM_MAIL}')`
    );
  }

  private otherWorkspaces(collection: Collection): string[] {
    if (collection.workspace.length === 0) return [];
    const other =
      `exists (select from (${workspacesOfRow(collection)}) as w where w.v is not null ` +
      `and w.v <> all (array(${workspacesSql()})))`;
    return [collection.where === undefined ? other : `(${other} and (${collection.where}))`];
  }
}

const cascadesOut = (table: TableRef, child: TableRef, key: ForeignKey): DomainError =>
  new DomainError(
    'erasure.blocked_by_constraint',
    `Constraint ${key.name} of table ${shown(child)} would delete its rows with those of ${shown(table)} (ON DELETE CASCADE), ` +
      `and the data map does not know ${shown(child)}. Nothing of ${shown(table)} has been erased. Map the table.`,
    { extra: { table: shown(table), constraint: key.name, at: shown(child) } },
  );

/** `select … as v`: who row `t` leads to; a composite key as the text that stands in a Subject. */
function valuesOf(path: Path): string {
  if (path.columns.length === 1) return pathValues(path);
  const parts = path.columns.map((column) => pathValues({ ...path, columns: [column] }));
  // Each part is a query over the same joins: only together in one row do they make a key.
  const [first] = parts;
  const row = path.join.length === 0 ? 't' : `j${path.join.length}`;
  const texts = path.columns.map((column) => `to_json(${row}.${quoted(column)}::text)::text`);
  const whole = `'[' || ${texts.join(` || ',' || `)} || ']'`;
  const from = (first ?? '').slice((first ?? '').indexOf(' as v') + ' as v'.length);
  return `select ${whole} as v${from}`;
}
