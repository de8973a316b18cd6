/** Finds the people of ledger entries again: keyed hashes cannot be asked of Postgres, so candidates are streamed. */
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { keySql } from '../../datamap/keys.js';
import { type SubjectKind } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { normalise } from '../../datamap/normalise.js';
import { pathValues } from '../../datamap/paths.js';
import { type Subject } from '../../datamap/settings.js';
import { copyStatement } from '../../datamap/walk.js';
import { type Erased, isUnique, type LedgerDigests } from './entry.js';

/** Somebody of the ledger as the database knows them now. */
export interface Again {
  subject: Subject;
  /** The key may be somebody else's by now: a running number that was given out again after the restore. */
  doubtful: boolean;
}

/** What one column holds, by the names that digests are made with: `key`, or an identifier. */
interface Source {
  sql: string;
  names: string[];
}

/**
 * Each table that can name people of these kinds is read once, by COPY, whatever the number of entries; memory holds
 * the entries only. Those of whom nothing is left, not even a key, are not in the answer.
 */
export class LedgerSearch {
  constructor(
    private readonly hostMap: HostMap,
    private readonly digests: LedgerDigests,
  ) {}

  /** @param own what `ownValues` has found */
  async find(
    tx: UnitOfWork,
    everybody: readonly Erased[],
    own: ReadonlyMap<string, string> = new Map(),
  ): Promise<Map<Erased, Again>> {
    const values = new Map([...own, ...(await this.valuesOf(tx, everybody))]);
    const found = new Map<Erased, Again>();
    for (const erased of everybody) {
      const again = await this.again(tx, erased, values);
      if (again) found.set(erased, again);
    }
    return found;
  }

  /**
   * Keys that Habeas's own tables know people by, of whom the host may have nothing any more: digest → value. To be
   * called where those may be read across tenants.
   */
  async ownValues(tx: UnitOfWork, everybody: readonly Erased[]): Promise<Map<string, string>> {
    const wanted = digestsOf(everybody);
    const found = new Map<string, string>();
    if (wanted.size === 0) return found;
    for await (const line of linesOf(await tx.copyOut(copyStatement(ownKeys)))) {
      const [kind, key] = JSON.parse(line) as [string, string];
      const known = this.hostMap.map.subjects[kind];
      const [only] = Object.values(known?.table ? {} : (known?.identifiers ?? {}));
      const [name, value] = only ? [only.name, normalise(only.normalise, key)] : ['key', key];
      const digest = this.digests.of(kind, name, value);
      if (wanted.has(digest)) found.set(digest, value);
    }
    return found;
  }

  /** digest → the value that it is the digest of */
  private async valuesOf(tx: UnitOfWork, everybody: readonly Erased[]): Promise<Map<string, string>> {
    const wanted = digestsOf(everybody);
    const found = new Map<string, string>();
    if (wanted.size === 0) return found;
    for (const name of new Set(everybody.map(({ kind }) => kind))) {
      const kind = this.hostMap.map.subjects[name];
      for (const source of kind ? this.sourcesOf(kind) : []) {
        for await (const [at, value] of this.stream(tx, source)) {
          const normal = at === 'key' ? value : normalise(kind?.identifiers[at]?.normalise ?? 'exact', value);
          const digest = this.digests.of(name, at, normal);
          if (wanted.has(digest)) found.set(digest, normal);
        }
      }
    }
    return found;
  }

  private async *stream(
    tx: UnitOfWork,
    { sql, names }: Source,
  ): AsyncGenerator<[name: string, value: string]> {
    const rows = await tx.copyOut(copyStatement(sql));
    for await (const line of linesOf(rows)) {
      const row = JSON.parse(line) as (string | null)[];
      for (const [n, value] of row.entries()) if (value) yield [names[n] as string, value];
    }
  }

  /** The kind's own table, and every column elsewhere that holds one of its identifiers. */
  private sourcesOf(kind: SubjectKind): Source[] {
    const sources: Source[] = [];
    if (kind.table) {
      const own = Object.values(kind.identifiers).flatMap(({ name, column }) =>
        column ? [{ name, column }] : [],
      );
      const texts = [keySql(kind.key), ...own.map(({ column }) => `t.${quoted(column)}::text`)];
      sources.push({
        sql: `select json_build_array(${texts.join(', ')})::text from ${qualified(kind.table)} as t`,
        names: ['key', ...own.map(({ name }) => name)],
      });
    }
    const only = kind.table ? undefined : Object.keys(kind.identifiers)[0];
    for (const { table, subject, builtIn } of Object.values(this.hostMap.map.collections)) {
      if (builtIn) continue;
      for (const path of subject[kind.name] ?? []) {
        const name = path.as ?? only;
        if (name === undefined) continue;
        const values = `(${pathValues(path)}) as p where p.v is not null`;
        sources.push({
          sql: `select json_build_array(p.v)::text from ${qualified(table)} as t cross join lateral ${values}`,
          names: [name],
        });
      }
    }
    return sources;
  }

  private async again(
    tx: UnitOfWork,
    erased: Erased,
    values: ReadonlyMap<string, string>,
  ): Promise<Again | undefined> {
    const { kind, pseudonym } = erased;
    const matched = Object.entries(erased.identifiers).flatMap(([name, digest]) => {
      const value = values.get(digest);
      return value === undefined ? [] : [[name, value] as const];
    });
    const key = erased.key ?? values.get(erased.keyDigest ?? '') ?? this.soleKey(kind, matched);
    if (key === undefined) return undefined;
    const row = await this.hostMap.people.byKey(tx, kind, key);
    const now = Object.values(row?.identifiers ?? {});
    const itself =
      isUnique(key) ||
      erased.key === undefined ||
      Object.keys(erased.identifiers).length === 0 ||
      now.every((value) => value === null || value === key) ||
      matched.some(([name, value]) => row?.identifiers[name] === value) ||
      now.includes(`deleted-${pseudonym}@deleted.invalid`);
    return {
      subject: { kind, key, identifiers: { ...row?.identifiers, ...Object.fromEntries(matched) } },
      doubtful: !itself,
    };
  }

  private soleKey(kind: string, matched: readonly (readonly [string, string])[]): string | undefined {
    return this.hostMap.map.subjects[kind]?.table ? undefined : matched[0]?.[1];
  }
}

const ownKeys = `
  select json_build_array(kind, key)::text from (
    select subject_kind as kind, subject_key as key from habeas.pseudonyms
    union select kind, key from habeas.request_subjects) as known`;

const digestsOf = (everybody: readonly Erased[]): Set<string> =>
  new Set(
    everybody.flatMap(({ keyDigest, identifiers }) => [
      ...(keyDigest ? [keyDigest] : []),
      ...Object.values(identifiers),
    ]),
  );

/** Lines of a stream of UTF-8; unlike readline it passes the stream's error on. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
