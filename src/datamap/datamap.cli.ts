/** What `habeas datamap …` prints. The wiring (which file, which connection) is main's. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { readCatalogue } from './catalogue.js';
import { checkDataMap } from './check.js';
import { checkSignIn } from './check-sign-in.js';
import { type Finding } from './findings.js';
import { grantsFor } from './grants.js';
import { type DataMap } from './map.js';
import { jsonSchema } from './schema.js';
import { workspaceId } from './workspace-id.js';

export interface Report {
  text: string;
  /** 0 where nothing is wrong; warnings are nothing wrong. */
  exitCode: 0 | 1;
}

/** `datamap check`: every finding with where it is and what to do. `db` as checkDataMap wants it. */
export async function checkReport(db: SqlRunner, map: DataMap): Promise<Report> {
  const { errors, warnings: found, hash, catalogue } = await checkDataMap(db, map);
  const warnings = [...checkSignIn(map), ...found];
  const summary =
    errors.length > 0
      ? `${count(errors.length, 'error')}, ${count(warnings.length, 'warning')}. Packages and erasures wait until the errors are gone.`
      : `The data map fits the database: ${count(Object.keys(map.collections).length, 'collection')}, ` +
        `${count(catalogue.tables.size, 'table')} and views looked at, ${count(warnings.length, 'warning')}.`;
  const lines = [
    ...errors.map((f) => line('error', f)),
    ...warnings.map((f) => line('warning', f)),
    summary,
    `Map ${hash}`,
  ];
  return { text: `${lines.join('\n')}\n`, exitCode: errors.length > 0 ? 1 : 0 };
}

/**
 * `datamap grants`: SQL for whoever owns the tables.
 * @param residue also lets the search after an erasure read what is neither mapped nor exempt; without it an erasure
 * ends on the desk, because a table that cannot be searched may hide what is left
 */
export async function grantsReport(
  db: SqlRunner,
  map: DataMap,
  { residue = true }: { residue?: boolean } = {},
): Promise<Report> {
  const head = residue
    ? '-- Lets Habeas read and erase exactly what the data map names, and read the rest to prove that nothing is left.\n'
    : '-- Lets Habeas read and erase exactly what the data map names. Erasures cannot be proven by this alone.\n';
  const sql = grantsFor(map, await readCatalogue(db), { residue });
  return { text: `${head}-- Run as the owner of the tables.\n${sql}`, exitCode: 0 };
}

/** `datamap schema`: the JSON Schema for editors; docs/datamap.schema.json is its output. */
export const schemaReport = (): Report => ({
  text: `${JSON.stringify(jsonSchema(), null, 2)}\n`,
  exitCode: 0,
});

/** `datamap workspace <key>`: the id that stands in our addresses and events for the workspace with this key of the host. */
export const workspaceReport = (hostKey: string): Report => ({
  text: `${workspaceId(hostKey)}\n`,
  exitCode: 0,
});

const line = (level: 'error' | 'warning', { code, where, message }: Finding): string =>
  `${level.padEnd(7)} ${where}\n        ${message} [${code}]`;

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
