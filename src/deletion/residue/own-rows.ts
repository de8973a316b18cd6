/** What only makes sense in a person's own rows: their name, and a key too short to be looked for anywhere else. */
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Catalogue, tableIn } from '../../datamap/catalogue.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Selection, settingsStatement, type Subject } from '../../datamap/settings.js';
import { reaches, rowsSelected } from '../../datamap/walk.js';
import { Bystanders } from '../hindrance/bystanders.js';
import { liesAt } from '../step/rows.js';
import { statementOf } from '../step/statement.js';
import { patternOf } from './patterns.js';
import { type Sought, type Tally } from './report.js';
import { wordsInOrder } from './tables.js';
import { holdsName } from './token.js';

/** Rows fetched at a time. */
const pageRows = 500;
const shortestName = 3;

export class OwnRows {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  /** Searches the rows that still reach the person. In one transaction, as habeas_host. */
  async search(db: SqlRunner, sought: Sought, tally: Tally): Promise<void> {
    for (const collection of Object.values(this.map.collections)) {
      if (collection.builtIn || !tableIn(this.catalogue, collection.table)) continue;
      await this.shortKeys(db, collection, sought, tally);
      await this.names(db, collection, sought, tally);
    }
  }

  private async shortKeys(
    db: SqlRunner,
    collection: Collection,
    sought: Sought,
    tally: Tally,
  ): Promise<void> {
    const { erasure, shared, table } = collection;
    if (erasure.rule !== 'delete' || isLeft(collection, sought)) return;
    const subjects = sought.subjects.flatMap((subject) => this.byKeyAlone(subject));
    const selection = { subjects, ...(sought.workspaces && { workspaces: sought.workspaces }) };
    if (subjects.length === 0 || !reaches(collection, selection)) return;
    const where = await this.select(db, collection, selection);
    const keepers = this.keepersOf(collection, sought);
    const kept = this.anyOf(keepers, selection);
    const others = shared
      ? ` and not ${new Bystanders(this.map, this.catalogue, 'people').onRow(table)}`
      : '';
    const found = `from ${qualified(table)} as t where ${where}${others} and (${kept}) is not true`;
    const [count] = await db.query<{ rows: string }>(`select count(*)::text as rows ${found}`);
    let rows = Number(count?.rows ?? 0);
    if (rows > 0 && keepers.length > 0) rows -= await this.keptAmong(db, found, selection, keepers, sought);
    const column = subjects.flatMap(({ kind }) => collection.subject[kind] ?? [])[0]?.columns[0] ?? '';
    if (rows > 0)
      tally.add('residues', { schema: table.schema, table: table.name, column, kind: 'key' }, rows);
  }

  /** Other collections of the same table, whose rows stay: the erasure leaves those out, whatever else they are part of. */
  private keepersOf(collection: Collection, sought: Sought): Collection[] {
    return Object.values(this.map.collections).filter(
      (other) =>
        other.name !== collection.name &&
        qualified(other.table) === qualified(collection.table) &&
        (other.erasure.rule === 'keep' || isLeft(other, sought)),
    );
  }

  /** Condition: the row is of one of these collections. */
  private anyOf(collections: readonly Collection[], selection: Selection): string {
    const conditions = collections
      .filter((collection) => reaches(collection, selection))
      .map((collection) => `(${rowsSelected(this.map, this.catalogue, collection, selection)})`);
    return conditions.join(' or ') || 'false';
  }

  /** How many of the rows that the key alone finds are kept because of an identifier: page by page, under either selection. */
  private async keptAmong(
    db: SqlRunner,
    found: string,
    byKey: Selection,
    keepers: readonly Collection[],
    { subjects, workspaces }: Sought,
  ): Promise<number> {
    const [first] = keepers as [Collection];
    const { kind } = tableIn(this.catalogue, first.table) ?? {};
    const whole = { subjects, ...(workspaces && { workspaces }) };
    const isKept = this.anyOf(keepers, whole);
    // Rows of a view lie nowhere.
    if (isKept === 'false' || (kind !== 'table' && kind !== 'partitioned')) return 0;
    const settle = async (selection: Selection) => {
      const { sql, values } = settingsStatement(selection);
      await db.query(sql, values);
    };
    let kept = 0;
    await db.query(
      `declare residue_keys no scroll cursor for select t.tableoid::text as rel, t.ctid::text as place ${found}`,
    );
    for (;;) {
      await settle(byKey);
      const rows = await db.query<{ rel: string; place: string }>(`fetch ${pageRows} from residue_keys`);
      await settle(whole);
      const places = Object.entries(Object.groupBy(rows, ({ rel }) => rel)).map(([rel, there = []]) => ({
        rel,
        places: there.map(({ place }) => `"${place}"`).join(','),
      }));
      const { sql, values } = statementOf(
        (list) =>
          `select count(*)::text as rows from ${qualified(first.table)} as t where ${liesAt(list, places)} and (${isKept})`,
      );
      const [count] = rows.length > 0 ? await db.query<{ rows: string }>(sql, values) : [];
      kept += Number(count?.rows ?? 0);
      if (rows.length < pageRows) break;
    }
    await db.query('close residue_keys');
    return kept;
  }

  /** The person as their key alone finds them, where the search over everything cannot. */
  private byKeyAlone({ kind, key }: Subject): Subject[] {
    const { table, key: columns } = this.map.subjects[kind] ?? {};
    const isSearched = columns?.length === 1 && patternOf(key) !== undefined;
    return table && !isSearched ? [{ kind, key, identifiers: {} }] : [];
  }

  private async names(db: SqlRunner, collection: Collection, sought: Sought, tally: Tally): Promise<void> {
    const { subjects, workspaces, names = [] } = sought;
    const wanted = names.filter((name) => name.trim().length >= shortestName);
    const selection = { subjects, ...(workspaces && { workspaces }) };
    const columns = this.textColumns(collection);
    if (wanted.length === 0 || columns.length === 0 || !reaches(collection, selection)) return;
    const { schema, name: table } = collection.table;
    const stays = collection.erasure.rule === 'keep' || isLeft(collection, sought);
    const verdict = stays || collection.shared ? 'kept' : 'residues';
    const where = await this.select(db, collection, selection);
    const kept = this.anyOf(this.keepersOf(collection, sought), selection);
    const list = [
      `case when ${kept} then '1' end as kept`,
      ...columns.map(({ sql }, n) => `${sql} as c${n}`),
    ].join(', ');
    await db.query(
      `declare residue_names no scroll cursor for select ${list} from ${qualified(collection.table)} as t where ${where}`,
    );
    for (;;) {
      const rows = await db.query<Record<string, string | null>>(`fetch ${pageRows} from residue_names`);
      for (const row of rows)
        columns.forEach(({ name: column }, n) => {
          const text = row[`c${n}`] ?? '';
          if (wanted.some((name) => holdsName(text, name)))
            tally.add(row.kept ? 'kept' : verdict, { schema, table, column, kind: 'name' });
        });
      if (rows.length < pageRows) break;
    }
    await db.query('close residue_names');
  }

  private async select(db: SqlRunner, collection: Collection, selection: Selection): Promise<string> {
    const settings = settingsStatement(selection);
    await db.query(settings.sql, settings.values);
    return rowsSelected(this.map, this.catalogue, collection, selection);
  }

  private textColumns({ table, columns }: Collection): { name: string; sql: string }[] {
    const text = /^(pg_catalog\.(text|varchar|bpchar|json|jsonb|xml|tsvector)|.*\.citext)$/;
    return (tableIn(this.catalogue, table)?.columns ?? [])
      .filter(({ base, element, family }) => text.test(element ?? base) || family === 'c')
      .filter(({ name }) => !columns[name]?.secret && !columns[name]?.sealed)
      .map(({ name, base }) => {
        const value = `t.${quoted(name)}`;
        return {
          name,
          sql: base === 'pg_catalog.tsvector' ? wordsInOrder(value) : `to_json(${value})::text`,
        };
      });
  }
}

/** Whether rows of it stay because a refusal says so; what stays elsewhere the eraser has counted down to none. */
const isLeft = ({ name }: Collection, { kept = [] }: Sought): boolean =>
  kept.some(({ collection }) => collection === name);
