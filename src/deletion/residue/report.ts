/** What a residue search is asked, and what it answers: counts and names of tables, never a value. */
import { type Subject } from '../../datamap/settings.js';
import { type Kept } from '../erasure.js';
import { type IdentifierKind } from './patterns.js';

/** One person, in all the kinds that they are known as, after their erasure. */
export interface Sought {
  /** How the answer is told apart from the others: an erasure's id, say. */
  id: string;
  /** With the identifiers they had before. */
  subjects: Subject[];
  /** Names they went by; searched in their own rows only. */
  names?: string[];
  /** Host keys of the only workspaces the erasure was about. Absent: it was about everything. */
  workspaces?: string[];
  /** The only tenants whose own rows of Habeas the erasure was about. Absent: all. */
  tenants?: string[];
  /** What the erasure was told to leave as it is, by collection and workspace. */
  kept?: readonly Pick<Kept, 'collection' | 'workspace'>[];
  /** Ids of the request and the erasure: Habeas's own rows about these name the person until the case is closed. */
  cases?: string[];
}

/** Rows of one table in which one column holds an identifier of one kind. */
export interface Place {
  schema: string;
  /** Of partitions: the partitioned table. */
  table: string;
  column: string;
  /** `key`: too short to be searched for, found by the map. */
  kind: IdentifierKind | 'key' | 'name';
  rows: number;
}

export interface Unreadable {
  schema: string;
  table: string;
  why: 'no_grant' | 'row_security' | 'foreign_table';
}

export interface ResidueReport {
  id: string;
  /** What should be gone: any of these fails the erasure. */
  residues: Place[];
  /** In rows of other people, for review. */
  mentions: Place[];
  /** What the map keeps on purpose, and rows of workspaces that the erasure was not about. */
  kept: Place[];
  /** Tables that could not be searched, the same for everybody: any of these fails the erasure. */
  unreadable: Unreadable[];
  rowsSearched: number;
}

/** For the certificate: numbers only. */
export interface ResidueCounts {
  residues: number;
  mentions: number;
  kept: number;
  unreadable: number;
}

/** Whether nothing speaks against the certificate. */
export const isClean = ({ residues, unreadable }: ResidueReport): boolean =>
  residues.length === 0 && unreadable.length === 0;

export const countsOf = ({ residues, mentions, kept, unreadable }: ResidueReport): ResidueCounts => ({
  residues: sum(residues),
  mentions: sum(mentions),
  kept: sum(kept),
  unreadable: unreadable.length,
});

const sum = (places: readonly Place[]): number => places.reduce((rows, place) => rows + place.rows, 0);

export type Verdict = 'residues' | 'mentions' | 'kept';

/** Adds up rows by place. */
export class Tally {
  private readonly places = new Map<string, { verdict: Verdict; place: Place }>();

  add(verdict: Verdict, place: Omit<Place, 'rows'>, rows = 1): void {
    const id = JSON.stringify([verdict, place.schema, place.table, place.column, place.kind]);
    const known = this.places.get(id);
    if (known) known.place.rows += rows;
    else this.places.set(id, { verdict, place: { ...place, rows } });
  }

  of(verdict: Verdict): Place[] {
    return [...this.places]
      .filter(([, entry]) => entry.verdict === verdict)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { place }]) => place);
  }
}
