/** One collection's rows that are over, batch by batch: short transactions in which rows, files and progress go together. */
import { type Database } from '../../database/database.js';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { shown } from '../../datamap/names.js';
import { settingsStatement } from '../../datamap/settings.js';
import { DomainError } from '../../errors.js';
import { failureOf, isPassing } from '../erasure-failure.js';
import { Pace } from '../step/pace.js';
import { type RetentionFailures, tellable, WHOLE } from './failures.js';
import { type RetentionFiles } from './files.js';
import { type Kept } from './guard.js';
import { type RetentionKept } from './kept.js';
import { RetentionRules } from './rules.js';
import { Candidates, type Cut, type Next } from './candidates.js';
import { type RetentionAim } from './due-rows.js';
import { type Gone, type Phase, type Picked, RetentionSql } from './sweep-sql.js';
import { overNow } from './time.js';

/** Of one collection in one run: more would be a fault of its own, which need not be met a million times. */
const MOST_FAILURES = 100;
const NOBODY: Kept = { people: [], collections: new Set() };
const LOCK_TIMEOUT = '250ms';
/** Into how many a batch is taken apart that failed. */
const TAKEN_APART = 4;

export type SweepPlace = Omit<RetentionAim, 'kept'> & { tenant: string };

export interface BatchParts {
  database: Database;
  host: HostMap;
  kept: RetentionKept;
  files: RetentionFiles;
  failures: RetentionFailures;
}

const lockRules = 'select 1 from habeas.retentions where tenant_id = $1 for no key update';

const addProgress = `
  update habeas.retentions set progress = (
    select jsonb_object_agg(name, n) from (
      select name, sum(value::bigint) as n
      from (select * from jsonb_each_text(progress - 'auditLog') union all select * from jsonb_each_text($2::jsonb)) as each(name, value)
      group by name) as sums) || case when progress ? 'auditLog' then jsonb_build_object('auditLog', progress -> 'auditLog')
                                 else '{}' end
  where tenant_id = $1`;

export class RetentionBatches {
  private readonly pace = new Pace();
  /** How many topmost rows are looked at: few to begin with, since nobody knows what hangs from them. */
  private most = 16;
  private readonly candidates = new Candidates([]);
  private failed = 0;

  constructor(
    private readonly parts: BatchParts,
    private readonly place: SweepPlace,
  ) {}

  /** Until nothing is left that can go. What cannot is written down; it stops nothing else. */
  async run(signal?: AbortSignal): Promise<void> {
    const { failures } = this.parts;
    const { now } = this.place;
    const collection = this.place.rule.collection.name;
    this.candidates.without.push(...(await this.within((tx) => failures.waiting(tx, collection, now))));
    try {
      for (const phase of this.sqlOf(NOBODY).phases) while (await this.batch(phase)) signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof DomainError)) throw error;
      await this.within((tx) => failures.record(tx, collection, WHOLE, error, now));
      return;
    }
    await this.within((tx) => failures.forget(tx, collection, now));
  }

  /** @returns whether there may be more */
  private async batch(phase: Phase): Promise<boolean> {
    const size = Math.min(this.pace.size, this.most);
    const started = performance.now();
    const found: { picked: readonly Picked[]; ahead: boolean } = { picked: [], ahead: false };
    try {
      const next = await this.within((tx) =>
        this.take(tx, { phase, size }, (picked, ahead) => Object.assign(found, { picked, ahead })),
      );
      if (typeof next === 'string') return next === 'more';
      this.pace.took(performance.now() - started, next.portion.weight);
      this.most = Math.min(this.most * 2, Number.MAX_SAFE_INTEGER);
      next.done();
      return next.more;
    } catch (error) {
      return this.afterFailure(error, size, found);
    }
  }

  /** @returns whether there may be more */
  private async afterFailure(
    error: unknown,
    size: number,
    { picked, ahead }: { picked: readonly Picked[]; ahead: boolean },
  ): Promise<boolean> {
    const passing = isPassing(error);
    if (picked.length === 0 && !passing) throw failed(error, this.place);
    const givenUp = this.candidates.givesUp();
    if (givenUp && passing) return givenUp === 'line';
    this.pace.stumbled();
    const standsAlone = picked.length === 1;
    // Of what goes ahead of one row less may succeed, as long as it was only too much, or locked.
    const lessMayGo = ahead && passing;
    if (size > 1 && (!standsAlone || lessMayGo)) {
      // Taken apart until the row that stops the others stands alone.
      const tried = ahead || picked.length === 0 ? size : picked.length;
      this.most = Math.max(1, Math.floor(tried / TAKEN_APART));
      return true;
    }
    return this.leave(picked[0], error);
  }

  /** A batch of one that failed: the row is left alone. */
  private async leave(row: Picked | undefined, error: unknown): Promise<boolean> {
    if (row === undefined) throw tooSlow(this.place);
    this.candidates.leave(row);
    if (isPassing(error)) return true;
    const { now, rule } = this.place;
    const reason = tellable(failed(error, this.place));
    await this.within((tx) => this.parts.failures.record(tx, rule.collection.name, row.digest, reason, now));
    this.failed += 1;
    return this.failed < MOST_FAILURES;
  }

  private async take(
    tx: UnitOfWork,
    { phase, size }: { phase: Phase; size: number },
    onPicked: (rows: readonly Picked[], ahead: boolean) => void,
  ): Promise<Next> {
    // Asked again in the transaction that acts: a hold of this minute counts, and what was lengthened meanwhile.
    if (!(await this.isStillOver(tx))) return 'over';
    const kept = await this.parts.kept.of(tx);
    if (kept === 'everything') return 'over';
    const sql = this.sqlOf(kept);
    const settings = settingsStatement(selectionOf(this.place, kept));
    await tx.query(settings.sql, settings.values);
    await tx.query(`select set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
    const taken = await tx.asHost(async (db) => {
      const next = await this.candidates.next(db, sql, { phase, size, kept }, onPicked);
      return typeof next === 'string' ? next : { next, gone: await this.erase(db, sql, next) };
    });
    if (typeof taken === 'string') return taken;
    for (const { files } of taken.gone) await this.parts.files.note(tx, files ?? []);
    await tx.query(addProgress, [tx.tenant, JSON.stringify(progressOf(taken.gone))]);
    return taken.next;
  }

  private async erase(db: SqlRunner, sql: RetentionSql, { phase, portion, ahead }: Cut): Promise<Gone[]> {
    const { level, rows } = portion;
    for (const lock of sql.locks(rows, level)) await db.query(lock.sql, lock.values);
    const erase = sql.erase(rows, phase, level);
    const gone = await db.query<Gone>(erase.sql, erase.values);
    // Deferred keys speak now, while it is known which rows they are about.
    await db.query('set constraints all immediate');
    // What did not go would be picked for ever; taken apart, it is found. What answers each other goes as a whole or not.
    const least = phase === 'leaves' || ahead ? 1 : rows.length;
    if ((gone[0]?.rows ?? 0) < least) throw stays(this.place);
    return gone;
  }

  /** Under the lock that a change takes as well: either it comes first, or this batch does. */
  private async isStillOver(tx: UnitOfWork): Promise<boolean> {
    const { rule, over, now } = this.place;
    await tx.query(lockRules, [tx.tenant]);
    const { keep } = (await RetentionRules.of(tx, now)).of(rule);
    return overNow(now, keep, rule)?.at.getTime() === over.at.getTime();
  }

  private sqlOf(kept: Kept): RetentionSql {
    const { map, catalogue } = this.parts.host.current();
    return new RetentionSql(map, catalogue, { ...this.place, kept });
  }

  private within<T>(work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.parts.database.asJob(this.place.tenant, 'retention', work, {
      statementTimeout: 60_000,
    });
  }
}

/** What the conditions read: the kept people, and the workspace ([] where it is about the account). */
export const selectionOf = (
  { workspace }: Pick<RetentionAim, 'workspace'>,
  { people }: Kept,
): { subjects: Kept['people'][number][]; workspaces: string[] } => ({
  subjects: [...people],
  workspaces: workspace === undefined ? [] : [workspace],
});

function progressOf(gone: readonly Gone[]): Record<string, number> {
  const progress: Record<string, number> = {};
  for (const { collection, rows, fileCount } of gone)
    for (const [what, n] of [
      ['rows', rows],
      ['files', fileCount],
    ] as const)
      // prettier-ignore
      if (n > 0) progress[`${collection}.${what}`] = (progress[`${collection}.${what}`] ?? 0) + n;
  return progress;
}

const failed = (error: unknown, { rule: { collection } }: SweepPlace): unknown =>
  failureOf(error, collection.name, shown(collection.table), 0);

const stays = ({ rule: { collection } }: SweepPlace): DomainError =>
  new DomainError(
    'retention.row_stays',
    `Rows of ${collection.name} (table ${shown(collection.table)}) do not go: a trigger keeps them, or something came to ` +
      'hang from them meanwhile. It is tried again.',
  );

const tooSlow = ({ rule: { collection, after } }: SweepPlace): DomainError =>
  new DomainError(
    'retention.too_slow',
    `Finding what is over in ${collection.name} takes too long. An index on its workspace and ${after} helps.`,
  );
