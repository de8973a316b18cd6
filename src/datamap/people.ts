/** Who somebody is, read through the map. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, columnIn } from './catalogue.js';
import { equalsParameter, hasKey, hasOneOfKeys, keySql } from './keys.js';
import { type DataMap, type SubjectKind } from './map.js';
import { literal, qualified, quoted, type TableRef } from './names.js';
import { normalise, normaliseSql } from './normalise.js';
import { subjectPathCondition } from './paths.js';
import { settingsStatement, type Subject } from './settings.js';

export interface Profile {
  display: string | null;
  language: string | null;
  jurisdiction: string | null;
}

/** Addresses of a person: identifiers that the map says are mails. */
export const mailsOf = ({ subjects }: DataMap, { kind, identifiers }: Subject): string[] =>
  Object.values(subjects[kind]?.identifiers ?? {}).flatMap(({ name, normalise: as }) =>
    as === 'mail' ? (identifiers[name] ?? []) : [],
  );

/** Reads people through the map, on whatever connection it is given; one statement at a time. */
export class People {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  /**
   * Everybody whose identifier has this value, of one kind or (absent) of every kind that has an identifier of
   * that name. The value may come as typed: it is normalised here. Kinds without a table are found where
   * collections mention them.
   */
  async find(db: SqlRunner, identifier: string, value: string, kind?: string): Promise<Subject[]> {
    const kinds = Object.values(this.map.subjects).filter(
      (k) => identifier in k.identifiers && (kind === undefined || k.name === kind),
    );
    const found: Subject[] = [];
    for (const k of kinds) {
      const wanted = normalise(k.identifiers[identifier]?.normalise ?? 'exact', value);
      if (wanted === '') continue;
      found.push(
        ...(k.table
          ? await this.inTable(db, k, identifier, wanted)
          : await this.inCollections(db, k, identifier, wanted)),
      );
    }
    return found;
  }

  /** The person with this key, or undefined. A person of a kind without a table is whoever the key names. */
  async byKey(db: SqlRunner, kind: string, key: string): Promise<Subject | undefined> {
    const k = this.map.subjects[kind];
    if (!k) return undefined;
    if (!k.table) {
      const [identifier] = Object.values(k.identifiers);
      if (!identifier) return undefined;
      const normal = normalise(identifier.normalise, key);
      return normal === '' ? undefined : { kind, key: normal, identifiers: { [identifier.name]: normal } };
    }
    const condition = hasKey(this.catalogue, k.table, k.key, key, 1);
    return condition && (await this.select(db, k, condition.sql, condition.values))[0];
  }

  /**
   * All of these people, with one query for each kind. By the key that was given where the host knows nobody under it, or
   * writes it otherwise.
   */
  async named(db: SqlRunner, people: readonly Pick<Subject, 'kind' | 'key'>[]): Promise<Subject[]> {
    const all: Subject[] = [];
    for (const [kind, theirs] of Map.groupBy(people, (one) => one.kind)) {
      const keys = new Set(theirs.map(({ key }) => key));
      const known = await this.byKeys(db, kind, [...keys]);
      for (const { key } of known) keys.delete(key);
      all.push(...known, ...[...keys].map((key) => ({ kind, key, identifiers: {} })));
    }
    return all;
  }

  private async byKeys(db: SqlRunner, kind: string, keys: readonly string[]): Promise<Subject[]> {
    const k = this.map.subjects[kind];
    if (k?.table) {
      const condition = hasOneOfKeys(this.catalogue, k.table, k.key, keys);
      return condition ? this.select(db, k, condition.sql, condition.values) : [];
    }
    const found: Subject[] = [];
    for (const key of keys) {
      const subject = await this.byKey(db, kind, key);
      if (subject) found.push(subject);
    }
    return found;
  }

  /** The person who signs in with this claim's value, or undefined. */
  async bySignIn(db: SqlRunner, claims: Record<string, unknown>): Promise<Subject | undefined> {
    const kind = Object.values(this.map.subjects).find((k) => k.signIn);
    const value = kind?.signIn && claims[kind.signIn.claim];
    if (
      !kind?.signIn ||
      !kind.table ||
      (typeof value !== 'string' && typeof value !== 'number') ||
      value === ''
    )
      return undefined;
    const condition = equalsParameter(this.catalogue, kind.table, kind.signIn.column, 1);
    const found = await this.select(db, kind, condition, [String(value)]);
    // A claim that names two people proves neither.
    return found.length === 1 ? found[0] : undefined;
  }

  /** Name, language and jurisdiction of a person, as far as the map says where they stand. */
  async profile(db: SqlRunner, { kind, key }: Pick<Subject, 'kind' | 'key'>): Promise<Profile> {
    const nobody = { display: null, language: null, jurisdiction: null };
    const k = this.map.subjects[kind];
    const condition = k?.table && hasKey(this.catalogue, k.table, k.key, key, 1);
    if (!k?.table || !condition) return nobody;
    const { table } = k;
    const column = (name?: string) => this.text(table, name);
    const display =
      k.display.length > 0 ? `nullif(concat_ws(' ', ${k.display.map(column).join(', ')}), '')` : 'null';
    const [row] = await db.query<Profile>(
      `select ${display} as display, ${column(k.language)} as language, ${column(k.jurisdiction)} as jurisdiction ` +
        `from ${qualified(k.table)} as t where ${condition.sql}`,
      condition.values,
    );
    return row ?? nobody;
  }

  private async inTable(
    db: SqlRunner,
    kind: SubjectKind,
    identifier: string,
    wanted: string,
  ): Promise<Subject[]> {
    const { column, normalise: normaliser } = kind.identifiers[identifier] ?? {};
    if (column === undefined || !normaliser || !kind.table) return [];
    const condition =
      normaliser === 'exact'
        ? equalsParameter(this.catalogue, kind.table, column, 1)
        : `${normaliseSql(normaliser, `t.${quoted(column)}::text`, this.catalogue.fold)} = $1::text`;
    return this.select(db, kind, condition, [wanted]);
  }

  private async select(
    db: SqlRunner,
    kind: SubjectKind,
    condition: string,
    values: (string | string[])[],
  ): Promise<Subject[]> {
    const { table } = kind;
    if (!table) return [];
    const identifiers = Object.values(kind.identifiers).map(({ name, column, normalise: normaliser }) => {
      const text = normaliseSql(normaliser, this.text(table, column), this.catalogue.fold);
      return `${literal(name)}, nullif(${text}, '')`;
    });
    const filter = kind.where === undefined ? '' : ` and (${kind.where})`;
    const rows = await db.query<{ key: string; identifiers: Record<string, string | null> }>(
      `select ${keySql(kind.key)} as key, json_build_object(${identifiers.join(', ')}) as identifiers ` +
        `from ${qualified(table)} as t where ${condition}${filter} order by 1`,
      values,
    );
    return rows.map((row) => ({ kind: kind.name, ...row }));
  }

  /** A column as text; null where it has gone: drift must not keep people from signing in, or staff from the desk. */
  private text(table: TableRef, column: string | undefined): string {
    const exists = column !== undefined && columnIn(this.catalogue, table, column) !== undefined;
    return exists ? `t.${quoted(column)}::text` : 'null::text';
  }

  /** A kind without a table exists where some collection has it. */
  private async inCollections(
    db: SqlRunner,
    kind: SubjectKind,
    identifier: string,
    wanted: string,
  ): Promise<Subject[]> {
    const subject: Subject = { kind: kind.name, key: wanted, identifiers: { [identifier]: wanted } };
    const settings = settingsStatement({ subjects: [subject] });
    await db.query(settings.sql, settings.values);
    for (const collection of Object.values(this.map.collections)) {
      if (collection.builtIn) continue;
      for (const path of collection.subject[kind.name] ?? []) {
        const condition = subjectPathCondition(this.map, this.catalogue, collection.table, kind.name, path);
        const filter = collection.where === undefined ? '' : ` and (${collection.where})`;
        const [hit] = await db.query(
          `select 1 from ${qualified(collection.table)} as t where ${condition}${filter} limit 1`,
        );
        if (hit) return [subject];
      }
    }
    return [];
  }
}
