import { type Collection } from './map.js';
import { type SetValue } from './schema.js';

/**
 * What erasure writes into the columns of a row that it does not delete: what the rule says, and null in
 * every secret of the row that the rule says nothing about. Empty for `delete` and `keep`.
 */
export function changesOf({ erasure, columns }: Collection): Record<string, SetValue> {
  if (erasure.rule === 'delete' || erasure.rule === 'keep') return {};
  const secrets = Object.keys(columns).filter((name) => columns[name]?.secret);
  const cleared =
    erasure.rule === 'clear' ? erasure.columns : erasure.rule === 'tombstone' ? erasure.clear : [];
  const nulls = [...secrets, ...cleared].map((name): [string, null] => [name, null]);
  return { ...Object.fromEntries(nulls), ...(erasure.rule === 'clear' ? {} : erasure.set) };
}

/** Whether rows of the collection go in the end. */
export const isDeleted = ({ erasure }: Collection): boolean =>
  erasure.rule === 'delete' || erasure.rule === 'tombstone';
