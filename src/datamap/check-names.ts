/** Does everything the map names exist, and is it of a type that can be what the map says it is? */
import { type Catalogue, type CatalogueColumn, columnIn, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap, normaliserOf, type Path, tablesOf } from './map.js';
import { type TableRef } from './names.js';
import { isText } from './types.js';

/** Unknown tables and columns, and columns of a type that cannot hold what the map says they do. */
export function checkNames(map: DataMap, catalogue: Catalogue): Finding[] {
  const findings = tablesOf(map)
    .filter((table) => !tableIn(catalogue, table))
    .map((table) =>
      finding(
        'table.unknown',
        table,
        undefined,
        'There is no such table or view. Names are exact: mind the case and the schema.',
      ),
    );
  const check = new NameCheck(map, catalogue);
  check.subjects();
  check.workspaces();
  for (const collection of Object.values(map.collections)) check.collection(collection);
  return [...findings, ...check.findings];
}

type Kind = 'integer' | 'uuid' | 'text' | 'other';

const kindOf = (base: string): Kind => {
  if (/^pg_catalog\.int[248]$/.test(base)) return 'integer';
  if (base === 'pg_catalog.uuid') return 'uuid';
  return isText(base) ? 'text' : 'other';
};

/** A key of one kind can stand in a column of the other: text can hold anything. */
const comparable = (a: string, b: string): boolean => {
  const [x, y] = [kindOf(a), kindOf(b)];
  return x === 'text' || y === 'text' || (x === 'other' && y === 'other' ? a === b : x === y);
};

class NameCheck {
  readonly findings: Finding[] = [];

  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  subjects(): void {
    for (const kind of Object.values(this.map.subjects)) {
      if (!kind.table) continue;
      const others = [...kind.display, kind.language, kind.jurisdiction, kind.signIn?.column];
      for (const name of [...kind.key, ...others]) if (name !== undefined) this.column(kind.table, name);
      for (const { column, normalise } of Object.values(kind.identifiers)) {
        const found = column === undefined ? undefined : this.column(kind.table, column);
        if (found && normalise !== 'exact') this.text(kind.table, found, normalise);
      }
    }
  }

  workspaces(): void {
    const w = this.map.workspaces;
    if (!w) return;
    const key = this.column(w.table, w.key);
    if (key && kindOf(key.base) === 'other')
      this.wrong(w.table, key, 'is no key of a workspace: those are uuid, integer or text');
    if (w.name !== undefined) this.column(w.table, w.name);
    for (const [kind, columns] of Object.entries(w.owner)) this.holdsKey(w.table, columns, kind);
    for (const m of w.memberships) {
      const found = this.column(m.table, m.workspace);
      if (key && found && !comparable(key.base, found.base))
        this.wrong(m.table, found, `cannot hold a workspace’s key, which is ${key.type}`);
      for (const [kind, columns] of Object.entries(m.subject)) this.holdsKey(m.table, columns, kind);
      if (m.role !== undefined) this.column(m.table, m.role);
    }
  }

  collection(collection: Collection): void {
    const { table, key, files, retention } = collection;
    for (const name of [...Object.keys(collection.columns), ...(key ?? [])]) this.column(table, name);
    for (const [kind, paths] of Object.entries(collection.subject))
      for (const path of paths) this.subjectPath(table, path, kind);
    for (const path of collection.workspace) this.workspacePath(table, path);
    if (files) {
      if ('column' in files.bucket) this.column(table, files.bucket.column);
      this.column(table, files.path);
      if (files.name !== undefined) this.column(table, files.name);
    }
    if (typeof retention !== 'string' && retention.after !== undefined) {
      const after = this.column(table, retention.after);
      if (after && !/^pg_catalog\.(timestamp(tz)?|date)$/.test(after.base))
        this.wrong(table, after, 'is no time to count a retention from');
    }
    const found = tableIn(this.catalogue, table);
    if (
      found &&
      key === undefined &&
      found.primaryKey.length === 0 &&
      found.kind !== 'table' &&
      found.kind !== 'partitioned'
    )
      this.findings.push(
        finding('key.missing', table, undefined, 'A view has no primary key: name its `key` columns.'),
      );
  }

  private subjectPath(table: TableRef, path: Path, kind: string): void {
    const ends = this.end(table, path);
    const subject = this.map.subjects[kind];
    if (!ends || !subject) return;
    const normaliser = normaliserOf(this.map, kind, path.as);
    ends.columns.forEach((column, n) => {
      const base = this.valueType(ends.table, column, path);
      if (base === undefined) return;
      if (normaliser !== 'exact') {
        if (!isText(base) && !path.json) this.text(ends.table, column, normaliser);
        return;
      }
      const wanted = path.as === undefined ? subject.key[n] : subject.identifiers[path.as]?.column;
      const target =
        subject.table && wanted !== undefined ? columnIn(this.catalogue, subject.table, wanted) : undefined;
      if (target && !comparable(target.base, base))
        this.wrong(ends.table, column, `cannot hold what identifies a ${kind}, which is ${target.type}`);
    });
  }

  private workspacePath(table: TableRef, path: Path): void {
    const ends = this.end(table, path);
    const w = this.map.workspaces;
    const key = w && columnIn(this.catalogue, w.table, w.key);
    const [column] = ends?.columns ?? [];
    const base = ends && column && this.valueType(ends.table, column, path);
    if (ends && column && key && base !== undefined && !comparable(key.base, base))
      this.wrong(ends.table, column, `cannot hold a workspace’s key, which is ${key.type}`);
  }

  /** Follows the joins; undefined where one of the names is unknown. */
  private end(from: TableRef, path: Path): { table: TableRef; columns: CatalogueColumn[] } | undefined {
    let table = from;
    for (const join of path.join) {
      for (const [here, there] of join.on) {
        const a = this.column(table, here);
        const b = this.column(join.table, there);
        if (a && b && (kindOf(a.base) === 'other' ? a.base !== b.base : kindOf(a.base) !== kindOf(b.base)))
          this.wrong(join.table, b, `is ${b.type} and cannot be joined with ${here}, which is ${a.type}`);
      }
      ({ table } = join);
    }
    const columns = path.columns.flatMap((name) => this.column(table, name) ?? []);
    return columns.length === path.columns.length ? { table, columns } : undefined;
  }

  /** The type of what the path finds in the column; undefined where a finding was made. */
  private valueType(table: TableRef, column: CatalogueColumn, path: Path): string | undefined {
    const isJson = /^pg_catalog\.jsonb?$/.test(column.base);
    const isArray = column.element !== undefined;
    if (path.json && !isJson) this.wrong(table, column, 'is no json or jsonb, so `json` leads nowhere');
    else if (path.array && !isArray) this.wrong(table, column, 'is no array; leave `array` out');
    else if (!path.json && !path.array && isArray)
      this.wrong(table, column, 'is an array: say `array: true`');
    else return path.json ? 'pg_catalog.text' : (column.element ?? column.base);
    return undefined;
  }

  private holdsKey(table: TableRef, columns: string[], kind: string): void {
    const subject = this.map.subjects[kind];
    columns.forEach((name, n) => {
      const column = this.column(table, name);
      const wanted = subject?.table && columnIn(this.catalogue, subject.table, subject.key[n] ?? '');
      if (column && wanted && !comparable(column.base, wanted.base))
        this.wrong(table, column, `cannot hold the key of a ${kind}, which is ${wanted.type}`);
    });
  }

  private column(table: TableRef, name: string): CatalogueColumn | undefined {
    const found = columnIn(this.catalogue, table, name);
    if (
      !found &&
      tableIn(this.catalogue, table) &&
      !this.findings.some((f) => f.code === 'column.unknown' && f.where.endsWith(`.${table.name}.${name}`))
    )
      this.findings.push(
        finding('column.unknown', table, name, 'There is no such column. Names are exact: mind the case.'),
      );
    return found;
  }

  private text(table: TableRef, column: CatalogueColumn, normaliser: string): void {
    if (!isText(column.base))
      this.wrong(table, column, `cannot hold a ${normaliser}; use a text column, or \`normalise: exact\``);
  }

  private wrong(table: TableRef, column: CatalogueColumn, message: string): void {
    this.findings.push(
      finding('column.type', table, column.name, `${column.name} (${column.type}) ${message}.`),
    );
  }
}
