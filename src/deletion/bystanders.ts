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
import { literal, qualified, quoted, shown, type TableRef } from '../datamap/names.js';
import { normaliseSql } from '../datamap/normalise.js';
import { pathValues, workspacesOfRow } from '../datamap/paths.js';
import { type Referrer, referrersOf, tableBehind } from '../datamap/referrers.js';
import { keysOfKindsSql, ownIdentifiersSql, workspacesSql } from '../datamap/settings.js';
import { valueAs } from '../datamap/types.js';
import { DomainError } from '../errors.js';
import { type ErasureJob } from './erasure.js';
import { outOfReach } from './out-of-reach.js';

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
    /** Whose deletes are looked at; absent where nothing is deleted. */
    private readonly job?: ErasureJob,
  ) {}

  /** Condition: the row of this table concerns somebody who is not being erased. */
  onRow(table: TableRef): string {
    const mapped = this.mapped(table);
    const conditions =
      this.about === 'people'
        ? mapped.flatMap((collection) => this.otherPeople(collection))
        : mapped.flatMap((collection) => this.otherWorkspaces(collection));
    return conditions.length === 0 ? 'false' : `(${[...new Set(conditions)].join(' or ')})`;
  }

  /** Condition: deleting the row would take nobody else's row along. Undefined where nothing cascades from it. */
  takesNobodyAlong(table: CatalogueTable, seen: readonly string[] = []): string | undefined {
    const here = [...seen, qualified(table)];
    const behind = tableBehind(this.catalogue, table);
    const hidden = behind && behind !== table ? this.cascadingFrom(behind)[0] : undefined;
    // Rows of a view lie nowhere, so what refers to them cannot be told.
    if (behind && hidden) throw cascadesOut(behind, hidden.child, hidden.key);
    const conditions = this.cascadingFrom(table).map(({ child, key }) => {
      // Nobody may look into it (it is not granted), so nobody knows whose rows would go.
      // Where the key's columns are only the heir's, the row cannot be followed from here.
      if (this.collectionsOn(child).length === 0 || !this.isSeen(key, table))
        throw cascadesOut(table, child, key);
      return `not ${this.someChild(child, key, table, this.mustStay(child, here, this.isShared(table)))}`;
    });
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  /** Names of the foreign keys by which a delete would go on to other tables, with the table each is of. */
  cascadesOf(table: CatalogueTable): string[] {
    return this.cascadingFrom(table).map(({ child, key }) => `${key.name} (table ${shown(child)})`);
  }

  /**
   * How many rows of others point at this one by a key that would only be cleared with it (ON DELETE SET NULL or
   * DEFAULT). Undefined where no such key is. Tables that the map does not know cannot be looked into.
   */
  pointersOfOthers(table: CatalogueTable): string | undefined {
    const counts = referrersOf(this.catalogue, table)
      .filter(({ key }) => key.onDelete === 'set null' || key.onDelete === 'set default')
      .filter(({ child, key }) => this.collectionsOn(child).length > 0 && this.isSeen(key, table))
      .map(({ child, key }) => `(select count(*) ${this.childrenIn(child, key, table, this.onRow(child))})`);
    return counts.length === 0 ? undefined : `(${counts.join(' + ')})`;
  }

  /** Condition: no row of a mapped table refers to it by a key that would stop its delete. */
  holdsNoParent(table: CatalogueTable): string | undefined {
    const conditions = referrersOf(this.catalogue, table)
      .filter(({ key }) => key.onDelete === 'no action' || key.onDelete === 'restrict')
      .filter(({ child, key }) => this.collectionsOn(child).length > 0 && this.isSeen(key, table))
      .map(({ child, key }) => `not ${this.someChild(child, key, table, 'true')}`);
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  /** Such rows only go when nobody is left, and then what would stay for others need not. */
  private isShared(table: CatalogueTable): boolean {
    return this.mapped(table).every(({ shared }) => shared !== undefined);
  }

  private isSeen({ targetColumns }: ForeignKey, { columns }: CatalogueTable): boolean {
    return targetColumns.every((column) => columns.some(({ name }) => name === column));
  }

  private cascadingFrom(table: CatalogueTable): Referrer[] {
    return referrersOf(this.catalogue, table).filter(({ key }) => key.onDelete === 'cascade');
  }

  /** A row that is in none of the collections over its table (a deleted one, say) is its people's all the same. */
  private uncovered(mapped: readonly Collection[]): string[] {
    const covers = mapped.flatMap(({ where }) => (where === undefined ? [] : [`(${where}) is true`]));
    if (covers.length < mapped.length) return [];
    const others = mapped
      .map(({ where: _, ...whole }) => whole)
      .flatMap((whole) => (this.about === 'people' ? this.otherPeople(whole) : this.otherWorkspaces(whole)));
    return others.length === 0 ? [] : [`not (${covers.join(' or ')}) and (${others.join(' or ')})`];
  }

  private mustStay(child: CatalogueTable, seen: readonly string[], withShared: boolean): string {
    const mapped = this.mapped(child);
    // What names files, and what would cascade in a circle, has to go by its own step.
    if (mapped.some(({ files }) => files) || seen.includes(qualified(child))) return 'true';
    const staying = mapped
      .filter(({ erasure: { rule } }) => rule === 'keep' || (rule !== 'delete' && !withShared))
      .map(({ where }) => `(${where ?? 'true'})`);
    const { job } = this;
    const beyond = mapped.flatMap((collection) =>
      (job ? outOfReach(job, collection) : []).map((condition) => covered(collection, condition)),
    );
    const further = this.takesNobodyAlong(child, seen);
    return [
      ...staying,
      ...beyond,
      this.onRow(child),
      ...this.uncovered(mapped),
      ...(further === undefined ? [] : [`not (${further})`]),
    ]
      .map((condition) => `(${condition}) is true`)
      .join(' or ');
  }

  /** A row of the child's table that refers to `t` and of which `condition` is true; in there `t` is the child's row. */
  private someChild(
    child: CatalogueTable,
    key: ForeignKey,
    table: CatalogueTable,
    condition: string,
  ): string {
    return `exists (select ${this.childrenIn(child, key, table, condition)})`;
  }

  private childrenIn(
    child: CatalogueTable,
    key: ForeignKey,
    table: CatalogueTable,
    condition: string,
  ): string {
    const parent = key.targetColumns.map((column, n) => `t.${quoted(column)} as k${n}`);
    const same = key.columns.map((column, n) => `t.${quoted(column)} = p.k${n}`);
    // A row may refer to itself: that one goes with itself.
    const itself = qualified(child) === qualified(key.target);
    if (itself) parent.push('t.tableoid as o', 't.ctid as c');
    const another = itself ? ' and (t.tableoid <> p.o or t.ctid <> p.c)' : '';
    // The key may name a partition, or an heir: then it is only about the rows that lie there.
    const only = qualified(key.target) === qualified(table) ? '' : ` where ${liesIn(key.target)}`;
    return (
      `from (select ${parent.join(', ')}${only}) as p, ${qualified(child)} as t ` +
      `where ${same.join(' and ')}${another} and (${condition})`
    );
  }

  /** The collections in which a row of this table can be: those over a partition's, or an heir's, whole tree too. */
  private mapped(table: CatalogueTable | TableRef): Collection[] {
    const { root } = tableIn(this.catalogue, table) ?? {};
    return [...this.collectionsOn(table), ...(root ? this.collectionsOn(root) : [])];
  }

  private collectionsOn(table: TableRef): Collection[] {
    return Object.values(this.map.collections).filter(
      (c) => !c.builtIn && qualified(c.table) === qualified(table),
    );
  }

  private otherPeople(collection: Collection): string[] {
    const { subject, where } = collection;
    return Object.entries(subject).flatMap(([kind, paths]) =>
      paths.map((path) => {
        const normaliser = normaliserOf(this.map, kind, path.as);
        const own =
          path.as === undefined && this.map.subjects[kind]?.table
            ? this.ownKeys(kind)
            : this.ownIdentifiers();
        // As the database compares them: keys that differ in case only are the same.
        const folds = normaliser === 'exact' && this.isCaseless(collection, kind, path);
        const plain = normaliseSql(normaliser, 'o.v', this.catalogue.fold);
        const [value, theirs] = folds ? [`lower(${plain})`, 'lower(own.v)'] : [plain, 'own.v'];
        const other =
          `exists (select from (${valuesOf(path)}) as o where o.v is not null and o.v <> '' ` +
          `and ${value} <> all (array(select ${theirs} from (${own}) as own where own.v is not null)) and o.v !~ '${PSEUDONYM_MAIL}'${this.notErased(kind, path)})`;
        return where === undefined ? other : `(${other} and (${where}))`;
      }),
    );
  }

  private isCaseless({ table }: Collection, kind: string, path: Path): boolean {
    const { table: own, key, identifiers } = this.map.subjects[kind] ?? {};
    const ends = path.join.at(-1)?.table ?? table;
    const named = path.as === undefined ? key?.[0] : identifiers?.[path.as]?.column;
    const types = [
      ...path.columns.map((column) => columnIn(this.catalogue, ends, column)),
      own && named !== undefined ? columnIn(this.catalogue, own, named) : undefined,
    ];
    return types.some((type) => /[.]citext$/.test(type?.element ?? type?.base ?? ''));
  }

  /** Keys that mean one person: of the kinds in the same table, since 7 may be somebody else in another. */
  private ownKeys(kind: string): string {
    const { table } = this.map.subjects[kind] ?? {};
    const kinds = Object.values(this.map.subjects).filter(
      (other) => table && other.table && qualified(other.table) === qualified(table),
    );
    return keysOfKindsSql(kinds.map(({ name }) => name));
  }

  /** What says who somebody is wherever it stands: identifiers, and the keys of those who have no table. */
  private ownIdentifiers(): string {
    const kinds = Object.values(this.map.subjects).filter(({ table }) => !table);
    return `${keysOfKindsSql(kinds.map(({ name }) => name))} union all ${ownIdentifiersSql()}`;
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

/** Condition: row `t` lies in this table or in a partition of it. No right to read that table is needed. */
function liesIn(table: TableRef): string {
  const rel = `${literal(qualified(table))}::regclass`;
  return `t.tableoid = any (array(select ${rel}::oid union all select relid::oid from pg_partition_tree(${rel})))`;
}

const covered = ({ where }: Collection, condition: string): string =>
  where === undefined ? condition : `(${condition}) and (${where})`;

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
