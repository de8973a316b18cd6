import { LocalStores } from '../../src/storage/local-store.js';
import { checkDataMap } from '../../src/datamap/check.js';
import { type ForeignHost, hostOf } from '../datamap/host.js';
import { Situation } from './eraser-situation.js';

const stores = new LocalStores({
  root: '/nonexistent',
  publicUrl: 'http://localhost',
  key: Buffer.alloc(32),
});

/** A collection of a map with what every collection needs; `columns` by their names alone. */
export const collection = (
  table: string,
  columns: string,
  more: Record<string, unknown>,
): Record<string, unknown> => ({
  table,
  workspace: 'none',
  controller: 'host',
  purpose: 'p',
  legalBasis: 'l',
  retention: 'r',
  erasure: { rule: 'delete' },
  columns: Object.fromEntries(columns.split(' ').map((name) => [name, { category: 'content' }])),
  ...more,
});

export interface Invented {
  host: ForeignHost;
  situation: Situation;
  /** What `datamap check` says, in short. */
  errors: string[];
  warnings: string[];
  drop(): Promise<void>;
}

/** A schema that a hostile, or merely unlucky, engineer would have, with its map. */
export async function invent(sql: string, map: Record<string, unknown>): Promise<Invented> {
  const whole = { version: 1, schema: 'h', workspaces: 'none', controller: { name: 'H' }, ...map };
  // JSON is YAML.
  const host = await hostOf(sql, JSON.stringify(whole), 'invented.yaml');
  const { errors, warnings } = await host.asHost((db) => checkDataMap(db, host.map));
  const told = (found: typeof errors) =>
    found.map(({ code, where, message }) => `${code} ${where}: ${message}`);
  return {
    host,
    situation: await Situation.of(host.database, host.map, stores),
    errors: told(errors),
    warnings: told(warnings),
    drop: () => host.drop(),
  };
}
