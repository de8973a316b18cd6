import { checkDataMap } from '../../src/datamap/check.js';
import { collection } from '../deletion/invented-host.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { type DataMap } from '../../src/datamap/map.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type ForeignHost, hostOf } from './host.js';

const person = {
  table: 'person',
  key: 'id',
  identifiers: { mail: { column: 'mail', normalise: 'mail' } },
};

export interface Invention {
  /** SQL after `create schema h`. */
  sql: string;
  /** Collections beside `people`. */
  more?: Record<string, unknown>;
  /** Columns of h.person. */
  columns?: string;
  /** Its erasure rule's. */
  set?: Record<string, unknown>;
  exempt?: string[];
  /** Columns (`table.column`) likewise. */
  exemptColumns?: string[];
  /** Kinds beside `person`. */
  subjects?: Record<string, unknown>;
  /** Absent: none. */
  workspaces?: Record<string, unknown>;
}

/** The columns that every table of people here has. */
export const PERSON = 'id int primary key, mail text, nick text, rank int';

/** One database, in which one schema h after another is invented and held against its map. */
export class Inventions {
  private constructor(readonly host: ForeignHost) {}

  static async open(): Promise<Inventions> {
    return new Inventions(
      await hostOf('create schema h', JSON.stringify(mapOf({ sql: '' })), 'invented.yaml', false),
    );
  }

  /** What the check says about erasure, `level code where: message`. */
  async told(invention: Invention): Promise<string[]> {
    return this.check(await this.make(invention));
  }

  /** The schema and its map, granted, and not held against each other. */
  async make(invention: Invention): Promise<DataMap> {
    await this.sql(`drop schema h cascade; create schema h; ${invention.sql}`);
    const map = parseDataMap(JSON.stringify(mapOf(invention)), { file: 'invented.yaml' });
    const owner = {
      query: <R>(sql: string, values?: readonly unknown[]) =>
        this.host.database.behindTheScenes<R>(sql, values && [...values]),
    };
    await this.sql(grantsFor(map, await readCatalogue(owner)));
    return map;
  }

  /** The check of the last invention once more. */
  async again(invention: Invention): Promise<string[]> {
    return this.check(parseDataMap(JSON.stringify(mapOf(invention)), { file: 'invented.yaml' }));
  }

  sql(text: string): Promise<unknown> {
    return this.host.database.behindTheScenes(text);
  }

  drop(): Promise<void> {
    return this.host.drop();
  }

  private async check(map: DataMap): Promise<string[]> {
    const { errors, warnings } = await this.host.asHost((db) => checkDataMap(db, map));
    return [
      ...errors.map(({ code, where, message }) => `error ${code} ${where}: ${message}`),
      ...warnings.map(({ code, where, message }) => `warning ${code} ${where}: ${message}`),
    ];
  }
}

const mapOf = ({
  more = {},
  columns = 'id mail nick rank',
  set = { mail: 'pseudonym-mail', nick: null },
  exempt = [],
  exemptColumns = [],
  subjects = {},
  workspaces,
}: Invention): Record<string, unknown> => ({
  version: 1,
  schema: 'h',
  workspaces: workspaces ?? 'none',
  controller: { name: 'H' },
  subjects: { person, ...subjects },
  collections: {
    people: collection('person', columns, {
      subject: { person: 'id' },
      erasure: { rule: 'pseudonymise', set },
    }),
    ...more,
  },
  exempt: [
    ...exempt.map((table) => ({ table, reason: 'says the author' })),
    ...exemptColumns.map((column) => ({ column, reason: 'says the author' })),
  ],
});
