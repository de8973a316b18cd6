/** Whose row a hit is in, and so what it means. */
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Catalogue, tableIn } from '../../datamap/catalogue.js';
import { changesOf } from '../../datamap/changes.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified } from '../../datamap/names.js';
import { settingsStatement } from '../../datamap/settings.js';
import { reaches, rowsSelected } from '../../datamap/walk.js';
import { Bystanders } from '../hindrance/bystanders.js';
import { type Pattern } from './patterns.js';
import { type Sought, type Verdict } from './report.js';
import { type Finding } from './scan.js';
import { ownSchema, type SearchedTable } from './tables.js';

interface Row {
  place: string;
  /** Belongs to what the erasure was about. */
  inside: boolean;
  /** Concerns somebody else. */
  others: boolean;
  /** Collections by which the row is the person's own, and should be erased or is kept. */
  own: boolean[];
  /** The erasure was told to leave it. */
  left?: boolean;
}

export class ResidueVerdicts {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  /**
   * Whether a key is all that a person's row is kept for: their kind's own row is pseudonymised, so that what others
   * wrote still has somebody to point at.
   */
  isPseudonym(kind: string): boolean {
    const { table, key } = this.map.subjects[kind] ?? {};
    if (!table || key?.length !== 1) return false;
    return this.collectionsOn(table).some(
      ({ erasure, subject }) =>
        erasure.rule === 'pseudonymise' &&
        !((key[0] as string) in erasure.set) &&
        (subject[kind] ?? []).some((path) => path.join.length === 0 && path.columns[0] === key[0]),
    );
  }

  /** Whether the map says what becomes of the rows of this table; in Habeas's own, Habeas does. */
  isMapped = (table: SearchedTable): boolean =>
    table.root.schema === ownSchema || this.collectionsOn(table.root).length > 0;

  /** What each of a person's findings in one table means, in their order. Reads host tables by place. */
  async of(
    db: SqlRunner,
    table: SearchedTable,
    sought: Sought,
    findings: readonly Finding[],
    patterns: readonly Pattern[],
  ): Promise<Verdict[]> {
    const collections = this.collectionsOn(table.root);
    const rows = await this.rows(db, table, sought, collections, findings);
    await this.noteLeft(db, table, sought, collections, rows);
    return findings.map(({ place, column, pattern }) => {
      const row = rows.get(place);
      // Whoever deleted it meanwhile did our work.
      if (!row) return 'kept';
      if (!row.inside || row.left) return 'kept';
      const own = collections.filter((_, n) => row.own[n]);
      if (own.length === 0) return row.others ? 'mentions' : 'residues';
      const isKey = patterns[pattern]?.isKey ?? false;
      return own.some((collection) => keeps(collection, column, isKey, row.others)) ? 'kept' : 'residues';
    });
  }

  private async rows(
    db: SqlRunner,
    table: SearchedTable,
    { subjects, workspaces }: Sought,
    collections: readonly Collection[],
    findings: readonly Finding[],
  ): Promise<Map<string, Row>> {
    const { map, catalogue } = this;
    const settings = settingsStatement({ subjects, ...(workspaces && { workspaces }) });
    await db.query(settings.sql, settings.values);
    const own = collections.map((collection) =>
      reaches(collection, { subjects }) ? rowsSelected(map, catalogue, collection, { subjects }) : 'false',
    );
    const places = workspaces
      ? collections.flatMap((collection) =>
          reaches(collection, { workspaces })
            ? [rowsSelected(map, catalogue, collection, { workspaces })]
            : [],
        )
      : ['true'];
    const others = new Bystanders(map, catalogue, 'people').onRow(table.root);
    const rows = await db.query<Row>(
      `select t.ctid::text as place, coalesce(${anyOf(places)}, false) as inside, coalesce(${others}, false) as others, ` +
        `array[${own.map((condition) => `coalesce(${condition}, false)`).join(', ')}]::boolean[] as own ` +
        `from only ${qualified(table)} as t where t.ctid = any ($1::tid[])`,
      [[...new Set(findings.map(({ place }) => place))]],
    );
    return new Map(rows.map((row) => [row.place, row]));
  }

  /** Marks the rows that a refusal keeps, place by place as the erasure went. */
  private async noteLeft(
    db: SqlRunner,
    table: SearchedTable,
    { subjects, kept = [] }: Sought,
    collections: readonly Collection[],
    rows: Map<string, Row>,
  ): Promise<void> {
    for (const { collection: name, workspace } of kept) {
      const collection = collections.find((one) => one.name === name);
      const selection = { subjects, ...(workspace !== undefined && { workspaces: [workspace] }) };
      if (!collection || rows.size === 0 || !reaches(collection, selection)) continue;
      const settings = settingsStatement(selection);
      await db.query(settings.sql, settings.values);
      const where = rowsSelected(this.map, this.catalogue, collection, selection);
      const left = await db.query<{ place: string }>(
        `select t.ctid::text as place from only ${qualified(table)} as t where t.ctid = any ($1::tid[]) and ${where}`,
        [[...rows.keys()]],
      );
      for (const { place } of left) {
        const row = rows.get(place);
        if (row) row.left = true;
      }
    }
  }

  private collectionsOn(table: { schema: string; name: string }): Collection[] {
    return Object.values(this.map.collections).filter(
      (c) => !c.builtIn && qualified(c.table) === qualified(table) && tableIn(this.catalogue, c.table),
    );
  }
}

/** Whether what the map says of the person's own row leaves this value in it on purpose. */
function keeps(collection: Collection, column: string, isKey: boolean, others: boolean): boolean {
  const { erasure, shared } = collection;
  if (erasure.rule === 'keep') return true;
  // What several people use goes with the last of them.
  if (shared) return others;
  // A row that stays is pointed at by its key; only what the rule clears should be gone.
  return isKey && erasure.rule !== 'delete' && !(column in changesOf(collection));
}

const anyOf = (conditions: string[]): string => `(${conditions.join(' or ') || 'false'})`;
