/** What an erasure writes into the columns of a row that it does not delete, and how to tell that it stands there. */
import { type Catalogue, type CatalogueTable, columnIn } from '../../datamap/catalogue.js';
import { changesOf } from '../../datamap/changes.js';
import { keySql } from '../../datamap/keys.js';
import { type Collection } from '../../datamap/map.js';
import { quoted } from '../../datamap/names.js';
import { type SetValue } from '../../datamap/schema.js';
import { type Subject } from '../../datamap/settings.js';
import { type ErasureJob, subjectId } from '../erasure.js';
import { type Values } from './statement.js';

export interface NewValuesOf {
  catalogue: Catalogue;
  job: ErasureJob;
  collection: Collection;
  table: CatalogueTable;
  /** By which rows are told apart; empty where they are not. */
  key: readonly string[];
  /** Host key; of a step that is about one. */
  workspace: string | undefined;
  /** Whose pseudonym is written; absent for workspaces. */
  subject: Subject | undefined;
}

/** SQL about a row `t`. */
export class NewValues {
  constructor(private readonly of: NewValuesOf) {}

  /** `"a" = …, "b" = …` */
  assignments(values: Values): string {
    return this.changes()
      .map(([column, value]) => `${quoted(column)} = ${this.newValue(values, column, value)}`)
      .join(', ');
  }

  /** Condition: some column does not hold it yet; the pseudonym of another subject of the same person is as good. */
  differs(values: Values): string {
    const columns = this.changes().map(([column, value]) => {
      const here = `t.${quoted(column)}`;
      if (value === null) return `${here} is not null`;
      const type = this.typeOf(column);
      const wanted =
        (value === 'pseudonym-mail' || value === 'pseudonym-uuid') && this.of.subject
          ? this.anyPseudonym(values, value, type)
          : [this.newValue(values, column, value)];
      return `(${wanted.map((one) => (isComparable(type) ? `${here} is distinct from ${one}` : `${here}::text is distinct from ${one}::text`)).join(' and ')})`;
    });
    return `(${columns.join(' or ') || 'false'})`;
  }

  private changes(): [string, SetValue][] {
    return Object.entries(changesOf(this.of.collection));
  }

  private newValue(values: Values, column: string, value: SetValue): string {
    if (value === null) return 'null';
    const text =
      value === 'pseudonym-mail'
        ? `('deleted-' || ${this.pseudonym(values)} || '@deleted.invalid')`
        : value === 'pseudonym-uuid'
          ? this.pseudonym(values)
          : `${values.add(String(value))}::text`;
    return `(${text})::${this.typeOf(column)}`;
  }

  /** The pseudonym as text: the person's own, or in a workspace one that is the row's. */
  private pseudonym(values: Values): string {
    const { job, subject, workspace = '', key } = this.of;
    if (subject) return `${values.add(pseudonymOf(job, subjectId(subject)))}::text`;
    const base = values.add(pseudonymOf(job, `workspace:${workspace}`));
    return `md5(${base}::text || ${key.length > 0 ? keySql([...key]) : `''`})::uuid::text`;
  }

  private anyPseudonym(values: Values, value: 'pseudonym-mail' | 'pseudonym-uuid', type: string): string[] {
    const { job } = this.of;
    return job.subjects.map((subject) => {
      const uuid = pseudonymOf(job, subjectId(subject));
      const text = value === 'pseudonym-mail' ? `deleted-${uuid}@deleted.invalid` : uuid;
      return `(${values.add(text)}::text)::${type}`;
    });
  }

  private typeOf(column: string): string {
    const base = columnIn(this.of.catalogue, this.of.table, column)?.base ?? 'pg_catalog.text';
    return base.split('.').map(quoted).join('.');
  }
}

const isComparable = (type: string): boolean =>
  !['json', 'xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', '_json', '_xml'].some(
    (name) => type === `"pg_catalog"."${name}"`,
  );

function pseudonymOf(job: ErasureJob, id: string): string {
  const drawn = job.pseudonyms[id];
  // Drawing one here would write another at every repetition.
  if (drawn === undefined) throw new Error('a pseudonym was not drawn when the erasure was planned');
  return drawn;
}
