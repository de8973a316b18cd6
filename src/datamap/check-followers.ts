/** Foreign keys towards columns that erasure writes: they stop the change, or carry it into other rows. */
import { type Catalogue, columnIn } from './catalogue.js';
import { changesOf } from './changes.js';
import { type Written } from './check-rows.js';
import { type ErasureFacts } from './erasure-facts.js';
import { erasureOrder } from './erasure-order.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, shown } from './names.js';

type Holder = ErasureFacts['heldBy'][number];

/**
 * A key that does not follow makes the change fail while a row refers to it. One that follows (ON UPDATE CASCADE, SET
 * NULL, SET DEFAULT) changes rows that are not looked at: whose they are, and whether a law keeps them. It is no harm
 * where those rows are the same person's by that very column, or are given another value by a rule of their own.
 */
export const heldColumns = (map: DataMap, catalogue: Catalogue, written: Written): Finding[] =>
  written.facts.heldBy.flatMap((holder) => {
    const columns = holder.columns.filter((column) => column in written.changes);
    if (columns.length === 0) return [];
    const problem =
      holder.onUpdate === 'no action'
        ? stopped(map, catalogue, written, holder)
        : carried(map, catalogue, written, holder);
    return problem === undefined
      ? []
      : [finding('erasure.foreign_key', written.table, columns.join(', '), problem)];
  });

function stopped(map: DataMap, catalogue: Catalogue, written: Written, holder: Holder): string | undefined {
  const { name, child } = holder;
  const mapped = collectionsOver(map, holder);
  const { stages } = erasureOrder(catalogue, Object.values(map.collections));
  const stageOf = (one: Collection) =>
    stages.findIndex(({ collections }) => collections.some((c) => c.name === one.name));
  // A tombstone still refers to it; what lets go or goes must do so before.
  const letsGo = (one: Collection) =>
    (one.erasure.rule === 'delete' ||
      holder.childColumns.some((column) => changesOf(one)[column] === null)) &&
    stageOf(one) < stageOf(written.collection);
  if (mapped.length > 0 && mapped.every(letsGo)) return undefined;
  return (
    `Foreign key ${name} of ${shown(child)} refers to it and does not follow a change, so writing it fails while ` +
    'such a row is there. Delete those rows or clear their column before it, or leave the column.'
  );
}

function carried(map: DataMap, catalogue: Catalogue, written: Written, holder: Holder): string | undefined {
  const { name, child, onUpdate, childColumns, columns } = holder;
  const key = `Foreign key ${name} of ${shown(child)} (ON UPDATE ${onUpdate.toUpperCase()})`;
  const follow = columns.flatMap((column, n) =>
    column in written.changes || onUpdate !== 'cascade' ? [childColumns[n] as string] : [],
  );
  const strict = follow.filter((column) => columnIn(catalogue, child, column)?.notNull);
  if (onUpdate === 'set null' && strict.length > 0)
    return `${key} clears ${strict.join(', ')} when it is written, which is NOT NULL, so writing it fails. Leave the column, or change the key.`;
  const mapped = collectionsOver(map, holder);
  const kept = mapped.find(({ erasure }) => erasure.rule === 'keep');
  if (kept)
    return `${key} writes it into rows of ${shown(child)} too, which the map keeps as they are (${kept.name}). Leave the column, or drop the key.`;
  const kinds = Object.keys(written.collection.subject);
  if (mapped.length > 0 && mapped.every((one) => isTheirs(one, kinds, childColumns) || rewrites(one, follow)))
    return undefined;
  return (
    `${key} writes it into rows of ${shown(child)} too, ` +
    (mapped.length === 0
      ? 'which the map does not know. '
      : `whose ${follow.join(', ')} does not say in the map that they are the same person’s. `) +
    `Map ${follow.join(', ')} as a path to the person, let a rule write it, leave the column, or drop the key.`
  );
}

const collectionsOver = (map: DataMap, { child }: Holder): Collection[] =>
  Object.values(map.collections).filter((one) => qualified(one.table) === qualified(child));

/** The referring columns say whose row it is. */
const isTheirs = ({ subject }: Collection, kinds: readonly string[], columns: readonly string[]): boolean =>
  kinds.some((kind) =>
    (subject[kind] ?? []).some(
      ({ join, array, json, columns: own }) =>
        join.length === 0 && !array && !json && own.every((column) => columns.includes(column)),
    ),
  );

const rewrites = (one: Collection, columns: readonly string[]): boolean =>
  columns.every((column) => column in changesOf(one));
