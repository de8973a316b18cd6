/** What only makes sense in a person's own rows: their name, and a key too short to be looked for anywhere else. */
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Catalogue, tableIn } from '../../datamap/catalogue.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Selection, settingsStatement, type Subject } from '../../datamap/settings.js';
import { reaches, rowsSelected } from '../../datamap/walk.js';
import { Bystanders } from '../hindrance/bystanders.js';
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
    const others = shared
      ? ` and not ${new Bystanders(this.map, this.catalogue, 'people').onRow(table)}`
      : '';
    const [found] = await db.query<{ rows: string }>(
      `select count(*)::text as rows from ${qualified(table)} as t where ${where}${others}`,
    );
    const rows = Number(found?.rows ?? 0);
    const column = subjects.flatMap(({ kind }) => collection.subject[kind] ?? [])[0]?.columns[0] ?? '';
    if (rows > 0)
      tally.add('residues', { schema: table.schema, table: table.name, column, kind: 'key' }, rows);
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
    const list = columns.map(({ sql }, n) => `${sql} as c${n}`).join(', ');
    await db.query(
      `declare residue_names no scroll cursor for select ${list} from ${qualified(collection.table)} as t where ${where}`,
    );
    for (;;) {
      const rows = await db.query<Record<string, string | null>>(`fetch ${pageRows} from residue_names`);
      for (const row of rows)
        columns.forEach(({ name: column }, n) => {
          const text = row[`c${n}`] ?? '';
          if (wanted.some((name) => holdsName(text, name)))
            tally.add(verdict, { schema, table, column, kind: 'name' });
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
