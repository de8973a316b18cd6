/**
 * Identifiers as text search takes them apart: of a uuid five words are made, of `lena+news@…` two. A tsvector holds
 * those words and where they stood, so an identifier is there where its words stand one after another.
 */
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Pattern } from './patterns.js';
import { type SearchedTable } from './tables.js';

/** One identifier as one configuration takes it apart. */
interface Phrase {
  pattern: number;
  /** A tsquery, as text. */
  query: string;
  lexemes: string[];
}

export interface WordHit {
  place: string;
  column: string;
  pattern: number;
  /** The column's words in their order. */
  text: string;
}

// By every configuration of the database, because nobody knows by which a column was made. Most agree about identifiers.
const PHRASES = `
select v.n::int - 1 as pattern, phraseto_tsquery($1::oid::regconfig, v.value)::text as query,
       tsvector_to_array(to_tsvector($1::oid::regconfig, v.value)) as lexemes
  from unnest($2::text[]) with ordinality as v (value, n)`;

export class ResidueWords {
  private phrases: Promise<Phrase[]> | undefined;

  constructor(private readonly patterns: readonly Pattern[]) {}

  /** The next rows, in the order of their places, in which some identifier's words stand one after another. */
  async rows(
    tx: UnitOfWork,
    table: SearchedTable,
    columns: readonly { name: string; sql: string }[],
    after: string,
    limit: number,
  ): Promise<{ place: string; hits: WordHit[] }[]> {
    const phrases = await (this.phrases ??= this.taken(tx));
    const rare = [...new Set(phrases.map(({ lexemes }) => longest(lexemes)))];
    if (rare.length === 0) return [];
    // The list is hashed, so a row costs the same however many identifiers are sought; few rows hold any of them.
    const any = columns.map(
      ({ name }) =>
        `exists (select from unnest(tsvector_to_array(t.${quoted(name)})) as l (lexeme) where l.lexeme = any ($1::text[]))`,
    );
    const found = columns.flatMap(({ name, sql }, n) => [
      `array(select p.n::int - 1 from unnest($2::text[], $3::text[]) with ordinality as p (query, lexemes, n) ` +
        `where t.${quoted(name)} @@ p.query::tsquery or ` +
        // Words whose places were taken away can only be looked for all together.
        `(t.${quoted(name)} = strip(t.${quoted(name)}) and tsvector_to_array(t.${quoted(name)}) @> p.lexemes::text[])) as f${n}`,
      `${sql} as c${n}`,
    ]);
    const rows = await tx.query<Record<string, unknown> & { place: string }>(
      `select t.ctid::text as place, ${found.join(', ')} from only ${qualified(table)} as t ` +
        `where (${any.join(' or ')}) and t.ctid > $4::tid order by t.ctid limit ${limit}`,
      [rare, phrases.map(({ query }) => query), phrases.map(({ lexemes }) => asArray(lexemes)), after],
    );
    return rows.map((row) => ({
      place: row.place,
      hits: columns.flatMap(({ name }, n) =>
        [...new Set((row[`f${n}`] as number[]).map((index) => (phrases[index] as Phrase).pattern))].map(
          (pattern) => ({
            place: row.place,
            column: name,
            pattern,
            text: (row[`c${n}`] as string | null) ?? '',
          }),
        ),
      ),
    }));
  }

  private async taken(tx: UnitOfWork): Promise<Phrase[]> {
    const configurations = await tx.query<{ id: string }>(
      'select oid::text as id from pg_ts_config order by oid',
    );
    const found = new Map<string, Phrase>();
    for (const { id } of configurations) {
      // One whose dictionaries are broken can have made no words.
      const taken = await tx.attempt(
        () => tx.query<Phrase>(PHRASES, [id, this.patterns.map(({ value }) => value)]),
        () => [],
      );
      // A single word is read as text; of a word's stem others would be found.
      for (const phrase of taken)
        if (phrase.lexemes.length > 1) found.set(`${phrase.pattern} ${phrase.query}`, phrase);
    }
    return [...found.values()];
  }
}

const longest = (words: readonly string[]): string =>
  words.reduce((longer, word) => (word.length > longer.length ? word : longer), '');

const asArray = (words: readonly string[]): string =>
  `{${words.map((word) => JSON.stringify(word)).join(',')}}`;
