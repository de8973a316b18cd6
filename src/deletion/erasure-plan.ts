/** What an erasure would do, counted. Reads only; run in a transaction of its own tenant. */
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { erasureOrder } from '../datamap/erasure-order.js';
import { settingsStatement, type Subject } from '../datamap/settings.js';
import { anyQuery, countQuery, filesQuery } from '../datamap/walk.js';
import { changesOf, isDeleted } from '../datamap/changes.js';
import { isHeld, REFERRED_TO } from '../datamap/held-rows.js';
import { type Collection } from '../datamap/map.js';
import { DomainError } from '../errors.js';
import { ErasureSql } from './step/sql.js';
import { type Place, placesOf } from './erasure-places.js';
import { type ErasureJob, type ErasurePlan, keptBy, type StepPlan } from './erasure.js';

/** Fewer are counted one by one. */
const MANY = 4;
const none: Pick<StepPlan, 'rows' | 'files' | 'stays'> = { rows: 0, files: 0 };

export class ErasurePlans {
  constructor(private readonly host: HostMap) {}

  /**
   * Every collection that the job reaches, in the order in which they are erased.
   * @param empty whether those without rows are in as well: what runs later may find rows that came since
   * @throws DomainError `datamap.drift`
   */
  async plan(tx: UnitOfWork, job: ErasureJob, empty = false): Promise<ErasurePlan> {
    this.host.assertFits();
    const { map, catalogue } = this.host.current();
    const { stages } = erasureOrder(catalogue, Object.values(map.collections));
    const collections = stages.flatMap((stage) => stage.collections);
    const steps = await tx.asHost(async () => {
      const found: StepPlan[] = [];
      for (const collection of collections) {
        const places = placesOf(job, collection);
        const bare = new Set(await this.bare(tx, collection, places));
        for (const place of places) {
          const counted = bare.has(place) ? none : await this.count(tx, job, collection, place);
          if (empty || counted.rows > 0 || counted.stays !== undefined)
            found.push({ ...stepOf(job, collection, place), ...counted });
        }
      }
      return found;
    });
    return { steps };
  }

  /** Of these places those without rows, found many at a time: who is in a thousand workspaces has little in most. */
  private async bare(tx: UnitOfWork, collection: Collection, all: readonly Place[]): Promise<Place[]> {
    const places = all.filter(({ workspace }) => workspace !== undefined);
    const [first] = places;
    if (!first || places.length < MANY) return [];
    const workspaces = places.map(({ workspace }) => workspace as string);
    const together = { ...first.selection, workspaces };
    const { map, catalogue } = this.host.current();
    const settings = settingsStatement(together);
    await tx.query(settings.sql, settings.values);
    if (!(await tx.one(anyQuery(map, catalogue, collection.name, together)))) return places;
    const half = Math.ceil(places.length / 2);
    return [
      ...(await this.bare(tx, collection, places.slice(0, half))),
      ...(await this.bare(tx, collection, places.slice(half))),
    ];
  }

  /**
   * Rows and files of one place that the collection's rule would still do something to, and those that stay for others;
   * as habeas_host.
   */
  async count(
    tx: UnitOfWork,
    job: ErasureJob,
    collection: Collection,
    { selection }: Place,
  ): Promise<Pick<StepPlan, 'rows' | 'files' | 'stays'>> {
    const on = this.host.current();
    const settings = settingsStatement(selection);
    await tx.query(settings.sql, settings.values);
    const sql = new ErasureSql(on, job, collection, selection);
    // Of those that stay because others are kept, some may have nothing in them that would have to go.
    const held = isHeld(collection.name);
    const planned = held ? sql.count() : sql.planned();
    const rows = Number((await tx.one<{ rows: string }>(planned.sql, planned.values))?.rows);
    const reached =
      held || isSharedIn(job, collection)
        ? Number(
            (await tx.one<{ rows: string }>(countQuery(on.map, on.catalogue, collection.name, selection)))
              ?.rows,
          )
        : rows;
    const stays = reached > rows && { stays: reached - rows };
    const query =
      rows > 0 && (isDeleted(collection) || (collection.files?.path ?? '') in changesOf(collection))
        ? filesQuery(on.map, on.catalogue, collection.name, selection)
        : undefined;
    if (query === undefined) return { rows, files: 0, ...stays };
    const named = await tx.one<{ files: string }>(`select count(*)::text as files from (${query}) as t`);
    return { rows, files: Number(named?.files), ...stays };
  }
}

/** Whether rows of it may stay for others; a purge leaves nobody. */
export const isSharedIn = ({ scope }: ErasureJob, { shared, erasure }: Collection): boolean =>
  shared !== undefined && erasure.rule === 'delete' && scope !== 'workspace';

function stepOf(
  job: ErasureJob,
  { name, controller, erasure }: Collection,
  { workspace }: Place,
): Omit<StepPlan, 'rows' | 'files'> {
  const kept = keptBy(job, name, workspace);
  return {
    collection: name,
    controller,
    ...(workspace !== undefined && { workspace }),
    rule: kept ? 'keep' : erasure.rule,
    ...(!kept && erasure.rule === 'keep' && { ground: erasure.ground, until: erasure.until }),
    ...(isHeld(name) && REFERRED_TO),
    ...(kept && { ground: kept.ground, ...(kept.until !== undefined && { until: kept.until }) }),
  };
}

/** The step's collection as the map has it now. @throws DomainError `datamap.drift` */
export function collectionOf(host: HostMap, name: string): Collection {
  const collection = host.current().map.collections[name];
  if (!collection)
    throw new DomainError(
      'datamap.drift',
      `The data map has no collection ${name} any more, which an erasure has planned.`,
    );
  return collection;
}

/** Whose pseudonyms a step writes, one after the other: each of the people, or nobody's. */
export const pseudonymised = (job: ErasureJob, { erasure }: Collection): (Subject | undefined)[] =>
  job.scope === 'workspace' || erasure.rule === 'delete' || erasure.rule === 'keep'
    ? [undefined]
    : job.subjects;
