/** Whether the tables that the map names still are what they were when the map was checked. */
import { type Catalogue, type ForeignKey, tableIn } from './catalogue.js';
import { type DataMap, tablesOf } from './map.js';
import { shown } from './names.js';

/** Of one mapped table: what, if it changed, would change what a package holds or an erasure does. */
interface TableShape {
  kind: string;
  columns: Record<string, string>;
  primaryKey: string[];
  foreignKeys: Record<string, string>;
  rowSecurity: boolean;
}

/** By table, as people write it; JSON, so that it can be kept with a check's result. */
export type Snapshot = Record<string, TableShape>;

/** The shape of every mapped table that exists. */
export function snapshotOf(map: DataMap, catalogue: Catalogue): Snapshot {
  const shapes = tablesOf(map).flatMap((ref) => {
    const table = tableIn(catalogue, ref);
    if (!table) return [];
    const shape: TableShape = {
      kind: table.kind,
      columns: Object.fromEntries(
        table.columns.map((c) => [c.name, `${c.type}${c.notNull ? ' not null' : ''}`]),
      ),
      primaryKey: table.primaryKey,
      foreignKeys: Object.fromEntries(
        table.foreignKeys.map((k) => [
          k.name,
          `(${k.columns.join(', ')}) → ${shown(k.target)} on delete ${k.onDelete}${clearedOnly(k)}`,
        ]),
      ),
      rowSecurity: table.rowSecurity,
    };
    return [[shown(ref), shape] as const];
  });
  return Object.fromEntries(shapes);
}

/** ON DELETE SET NULL and SET DEFAULT may name some of the key's columns. */
const clearedOnly = ({ onDelete, columns, letsGo }: ForeignKey): string =>
  onDelete.startsWith('set') && letsGo.length < columns.length ? ` (${[...letsGo].sort().join(', ')})` : '';

/** What changed between two snapshots, one sentence each; empty where nothing did. */
export function driftBetween(before: Snapshot, after: Snapshot): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [was, is] = [before[name], after[name]];
    if (!was) return [`Table ${name} is new.`];
    if (!is) return [`Table ${name} is gone.`];
    return [
      ...(was.kind === is.kind ? [] : [`${name} was a ${was.kind} and is a ${is.kind}.`]),
      ...entries(`Column ${name}.`, was.columns, is.columns),
      ...(was.primaryKey.join() === is.primaryKey.join() ? [] : [`The primary key of ${name} changed.`]),
      ...entries(`Foreign key ${name}.`, was.foreignKeys, is.foreignKeys),
      ...(was.rowSecurity === is.rowSecurity
        ? []
        : [`Row-level security of ${name} was switched ${is.rowSecurity ? 'on' : 'off'}.`]),
    ];
  });
}

function entries(what: string, was: Record<string, string>, is: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.flatMap((name) => {
    if (was[name] === is[name]) return [];
    if (was[name] === undefined) return [`${what}${name} is new.`];
    if (is[name] === undefined) return [`${what}${name} is gone.`];
    return [`${what}${name} was ${was[name]} and is ${is[name]}.`];
  });
}
