/**
 * How values reach a query. COPY takes no bind parameters, so whom and what a query is about stands in
 * transaction-local settings that the query reads: nothing of a person is ever part of an SQL text (nor of
 * the server's log of it), and one text serves everybody.
 */
import { createHmac } from 'node:crypto';
import { literal } from './names.js';

/** One person as the map knows them. */
export interface Subject {
  kind: string;
  /** Text of the key; for composite keys a JSON array of texts; for kinds without a table the identifier. */
  key: string;
  /** Normal forms by identifier name; null where the person has none. */
  identifiers: Record<string, string | null>;
}

export interface Selection {
  /** Rows that reach any of these people. Absent: whoever's. */
  subjects?: Subject[];
  /** Rows of any of these workspaces, by host key. Absent: wherever. */
  workspaces?: string[];
  /** Rows that belong to a workspace by the map, but whose own path leads to none. */
  unplaced?: boolean;
  /** 32 bytes; masks other people (`party: other`). Needed where subjects are given. */
  maskKey?: Buffer;
}

const MASK_BLOCK = 64;

/** The settings a query of this selection reads, by name. */
function settingsOf({ subjects, workspaces, maskKey }: Selection): Record<string, string> {
  return {
    ...(subjects && { 'habeas.subjects': JSON.stringify(subjects) }),
    ...(workspaces && { 'habeas.workspaces': JSON.stringify(workspaces) }),
    ...(maskKey && { 'habeas.mask_ipad': pad(maskKey, 0x36), 'habeas.mask_opad': pad(maskKey, 0x5c) }),
    // So that the same data is the same bytes, whatever the login's or the database's defaults.
    TimeZone: 'UTC',
    DateStyle: 'ISO, YMD',
    IntervalStyle: 'iso_8601',
    extra_float_digits: '1',
    bytea_output: 'hex',
    xmlbinary: 'base64',
    lc_monetary: 'C',
  };
}

/**
 * One statement that puts the settings in place until the transaction ends: run it first, on the same
 * connection, with the values beside it.
 */
export function settingsStatement(selection: Selection): { sql: string; values: string[] } {
  const entries = Object.entries(settingsOf(selection));
  const calls = entries.map(([name], index) => `set_config(${literal(name)}, $${index + 1}, true)`);
  return { sql: `select ${calls.join(', ')}`, values: entries.map(([, value]) => value) };
}

const pad = (key: Buffer, byte: number): string => {
  if (key.length !== 32) throw new RangeError('a mask key has 32 bytes');
  const block = Buffer.alloc(MASK_BLOCK);
  key.copy(block);
  return Buffer.from(block.map((b) => b ^ byte)).toString('hex');
};

/** What a query shows instead of another person's key: the twin of maskSql. */
export const maskOf = (key: Buffer, value: string): string =>
  `person:${createHmac('sha256', key).update(value, 'utf8').digest('hex').slice(0, 32)}`;

/**
 * HMAC-SHA256 by sha256 alone (no pgcrypto needed), cut to 16 bytes. The pads are read once per query,
 * being sub-selects that depend on no row.
 */
export function maskSql(text: string): string {
  // On a pooled connection a forgotten setting reads '': that must raise, not mask with an empty key.
  const block = (name: string) =>
    `(select decode(coalesce(nullif(current_setting('habeas.mask_${name}'), ''), 'missing'), 'hex'))`;
  const inner = `sha256(${block('ipad')} || convert_to(${text}, 'UTF8'))`;
  return `'person:' || encode(substr(sha256(${block('opad')} || ${inner}), 1, 16), 'hex')`;
}

// Raises where the setting was forgotten (absent, or '' on a pooled connection): no package may come out empty
// because nobody said whom it is about.
const setting = (name: string): string => `current_setting('habeas.${name}')::jsonb`;

// Every name below is qualified: an unqualified one could be a column of the host's table outside.

/** Rows `s.item` of everybody asked about. */
const everybody = (): string => `jsonb_array_elements(${setting('subjects')}) as s(item)`;

/** The same, of one kind. */
const people = (kind: string): string => `${everybody()} where s.item ->> 'kind' = ${literal(kind)}`;

/** `select` of the keys of one kind, or of one part of composite keys, as text named v. */
export const keysSql = (kind: string, part?: number): string =>
  part === undefined
    ? `select s.item ->> 'key' as v from ${people(kind)}`
    : `select (s.item ->> 'key')::jsonb ->> ${part} as v from ${people(kind)}`;

/** `select` of all parts of the composite keys of one kind, as texts v0, v1, … */
export const compositeKeysSql = (kind: string, parts: number): string => {
  const list = Array.from(
    { length: parts },
    (_, part) => `(s.item ->> 'key')::jsonb ->> ${part} as v${part}`,
  );
  return `select ${list.join(', ')} from ${people(kind)}`;
};

/** `select` of one identifier of one kind, as text named v. '' is nobody's. */
export const identifiersSql = (kind: string, identifier: string): string =>
  `select nullif(s.item -> 'identifiers' ->> ${literal(identifier)}, '') as v from ${people(kind)}`;

/** `select` of the keys of all people asked about of these kinds, as text named v. */
export const keysOfKindsSql = (kinds: readonly string[]): string =>
  `select s.item ->> 'key' as v from ${everybody()} where s.item ->> 'kind' = any (array[${kinds.map(literal).join(', ')}]::text[])`;

/** `select` of every identifier of everybody asked about, whatever it is called, as text named v. */
export const ownIdentifiersSql = (): string =>
  `select nullif(i.value, '') as v from ${everybody()}, jsonb_each_text(s.item -> 'identifiers') as i(name, value)`;

/** `select` of every key and identifier of everybody asked about, as text named v. */
export const allOwnSql = (): string =>
  `select s.item ->> 'key' as v from ${everybody()} union all ${ownIdentifiersSql()}`;

/** `select` of the host keys of the workspaces asked about, as text named v. */
export const workspacesSql = (): string =>
  `select w.item as v from jsonb_array_elements_text(${setting('workspaces')}) as w(item)`;
