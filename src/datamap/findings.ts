import { type TableRef, shown } from './names.js';

/** Something the check has to say about the map and the database together. */
export interface Finding {
  /** `topic.problem`, stable. */
  code: string;
  /** schema.table, schema.table.column, or the part of the map that lacks something. */
  where: string;
  /** What is wrong and what to do; no values. */
  message: string;
}

/** A finding about a table or one of its columns. */
export const finding = (
  code: string,
  table: TableRef,
  column: string | undefined,
  message: string,
): Finding => ({
  code,
  where: column === undefined ? shown(table) : `${shown(table)}.${column}`,
  message,
});
