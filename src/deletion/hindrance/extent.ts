/**
 * What a whole erasure reaches, all its steps together: which rows it deletes, and which keys it empties. While a step
 * looks at its own place only, this looks at all of them at once, before the first has run.
 */
import { type ForeignKey } from '../../datamap/catalogue.js';
import { changesOf } from '../../datamap/changes.js';
import { namingColumns } from '../../datamap/letting-go.js';
import { type Collection } from '../../datamap/map.js';
import { literal, qualified, type TableRef } from '../../datamap/names.js';
import { workspacesOfRow } from '../../datamap/paths.js';
import { type Selection } from '../../datamap/settings.js';
import { reaches, rowsSelected } from '../../datamap/walk.js';
import { Bystanders } from './bystanders.js';
import { type ErasureJob } from '../erasure.js';
import { placesOf } from '../erasure-places.js';
import { type Step } from '../erasures.js';
import { type MapOnCatalogue } from '../step/rows.js';

export interface Extent {
  on: MapOnCatalogue;
  job: ErasureJob;
  /** All of them, the finished ones too. */
  steps: readonly Step[];
  /** Collections whose rows were noted, and may not be found by way of others any more. */
  noted: ReadonlySet<string>;
}

/** Rows by a condition about a row `t`. */
export interface Reach {
  condition: string;
  /** It looks at the row alone, so that it costs nothing beside whatever else is asked about the row. */
  plain: boolean;
}

/** SQL about a row `t`; reads the settings of `selection`. */
export class ErasureExtent {
  readonly bystanders: Bystanders;

  constructor(private readonly of: Extent) {
    const about = of.job.scope === 'workspace' ? 'workspaces' : 'people';
    this.bystanders = new Bystanders(of.on.map, of.on.catalogue, about);
  }

  /** Everybody and every workspace of the job. */
  get selection(): Selection {
    const { scope, subjects, workspaces } = this.of.job;
    return scope === 'workspace' ? { workspaces } : { subjects, workspaces };
  }

  /** Condition: the row is one that a step of this collection deletes, and is not done with. */
  left(collection: Collection): string {
    const open = this.of.steps.filter(({ finishedAt }) => finishedAt === null);
    const exceptions = this.keptOn(collection).map((kept) => `(${kept}) is not true`);
    return [`(${this.rowsOf(collection, open) ?? 'false'})`, ...exceptions].join(' and ');
  }

  /** Rows of this table that go, one for each collection whose steps delete them. */
  deleted(table: TableRef): Reach[] {
    return this.bystanders.mapped(table).flatMap((collection) => {
      if (collection.erasure.rule !== 'delete') return [];
      const going = this.goingRows(collection);
      if (going === undefined) return [];
      const nobodyElse = collection.shared ? [`(${this.bystanders.onRow(table)}) is not true`] : [];
      const exceptions = this.keptOn(collection).map((kept) => `(${kept}) is not true`);
      const more = [...nobodyElse, ...exceptions];
      return [
        { condition: [`(${going})`, ...more].join(' and '), plain: more.length === 0 && isPlain(collection) },
      ];
    });
  }

  /** Rows of this table of which some step writes something else into this key, one for each collection. */
  letsGo(table: TableRef, { columns }: ForeignKey): Reach[] {
    const { map, catalogue } = this.of.on;
    return this.bystanders.mapped(table).flatMap((collection) => {
      const changed = Object.keys(changesOf(collection));
      const emptied = namingColumns(map, catalogue, collection).map(({ column }) => column);
      if (![...changed, ...emptied].some((column) => columns.includes(column))) return [];
      const going = this.goingRows(collection);
      return going === undefined ? [] : [{ condition: `(${going})`, plain: isPlain(collection) }];
    });
  }

  /** Whether its steps look at rows wherever and whosever they are by the map, and leave none of these out. */
  isWhole(collection: Collection): boolean {
    const { job, steps } = this.of;
    const going = steps.filter(({ collection: name, rule }) => name === collection.name && rule !== 'keep');
    return (
      collection.erasure.rule === 'delete' &&
      !collection.shared &&
      collection.where === undefined &&
      going.length > 0 &&
      going.length === placesOf(job, collection).length &&
      this.keptOn(collection).length === 0
    );
  }

  /** Whether the steps of both are about the same workspaces, or both about none. */
  hasSamePlaces(one: Collection, other: Collection): boolean {
    const [here, there] = [one, other].map((collection) =>
      JSON.stringify(placesOf(this.of.job, collection).map(({ workspace = null }) => workspace)),
    );
    return here === there;
  }

  /** Whether people of this kind are among those who are erased. */
  isAbout(kind: string): boolean {
    return this.of.job.scope !== 'workspace' && this.of.job.subjects.some((subject) => subject.kind === kind);
  }

  /** What was noted is not looked for: it goes by its key. */
  private goingRows(collection: Collection): string | undefined {
    if (this.of.noted.has(collection.name)) return 'true';
    return this.rowsOf(
      collection,
      this.of.steps.filter(({ rule }) => rule !== 'keep'),
    );
  }

  private keptOn({ name, table }: Collection): string[] {
    const kept = this.of.steps.filter(({ rule }) => rule === 'keep');
    return Object.values(this.of.on.map.collections)
      .filter((other) => other.name !== name && qualified(other.table) === qualified(table))
      .flatMap((other) => this.rowsOf(other, kept) ?? []);
  }

  /** Condition: the row is in one of the collection's places among these steps; undefined where it has none. */
  private rowsOf(collection: Collection, steps: readonly Step[]): string | undefined {
    const { job, on } = this.of;
    const all = placesOf(job, collection);
    const places = all.filter(({ workspace }) =>
      steps.some((step) => step.collection === collection.name && step.workspace === workspace),
    );
    if (places.length === 0) return undefined;
    const named = places.flatMap(({ workspace }) => (workspace === undefined ? [] : [workspace]));
    const nowhere = places.some(({ selection }) => selection.unplaced);
    const selection: Selection = {
      ...(job.scope !== 'workspace' && { subjects: job.subjects }),
      ...(named.length > 0 && { workspaces: job.workspaces }),
      ...(nowhere && { unplaced: true }),
    };
    if (!reaches(collection, selection)) return undefined;
    const selected = rowsSelected(on.map, on.catalogue, collection, selection);
    if (places.length === all.length || named.length === 0) return selected;
    // Of the workspaces only some: the others keep what is there.
    const leads = `w.v = any (array[${named.map(literal).join(', ')}]::text[])`;
    const to = (condition: string) =>
      `exists (select from (${workspacesOfRow(collection)}) as w where ${condition})`;
    return `${selected} and (${to(leads)}${nowhere ? ` or not ${to('w.v is not null')}` : ''})`;
  }
}

const isPlain = ({ where, workspace, subject }: Collection): boolean =>
  where === undefined &&
  [...workspace, ...Object.values(subject).flat()].every(
    (path) => path.join.length === 0 && path.where === undefined,
  );
