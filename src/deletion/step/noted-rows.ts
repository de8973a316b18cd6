/** Rows that were noted before anything went, because nothing leads to them any more when it is their turn. */
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { shown } from '../../datamap/names.js';
import { type Subject } from '../../datamap/settings.js';
import { DomainError } from '../../errors.js';
import { reachesOthers, rowsKept } from '../erasure-failure.js';
import { pseudonymised } from '../erasure-plan.js';
import { Pace } from './pace.js';
import { type StepContext, type StepWork } from './context.js';

const AT_ONCE = 1000;
/** Rounds in which rows were found and none would go. */
const REFUSALS = 5;

interface Noted {
  key: unknown;
  subject: number | null;
}

/** What has become of one page of noted rows. */
interface Round {
  settled: number;
  /** Locked by somebody. */
  left: number;
  /** A cascade would take along rows that are not theirs. */
  held: number;
  last: Noted;
  /** None would go. */
  refused: boolean;
}

export class NotedRows {
  constructor(private readonly context: StepContext) {}

  /** Notes the keys of all rows of a step, read through a cursor: memory stays flat. */
  async gather(work: StepWork): Promise<void> {
    const whose = pseudonymised(this.context.parts.job, work.collection);
    // Of a row that is of two of them the first is as good as the second.
    for (const [n, subject] of whose.entries()) await this.gatherOf(work, subject, subject && n);
  }

  private async gatherOf(work: StepWork, subject: Subject | undefined, n: number | undefined): Promise<void> {
    const { job } = this.context.parts;
    const { sql, selection } = this.context.aim(work, subject);
    if (sql.rows.key.length === 0)
      throw new DomainError(
        'datamap.drift',
        `Table ${shown(sql.table)} has no key by which rows could be noted.`,
      );
    await this.context.within(async (tx) => {
      await this.context.settle(tx, selection);
      await tx.asHost((db) => db.query(`declare noted no scroll cursor for ${sql.keys()}`));
      for (;;) {
        const rows = await tx.asHost((db) => db.query<{ key: unknown }>(`fetch ${AT_ONCE} from noted`));
        if (rows.length === 0) return this.assertNotGivenUp(tx);
        await tx.query(
          `insert into habeas.erasure_rows (tenant_id, erasure_id, ordinal, key, subject)
           select $1, $2, $3, k, $5 from jsonb_array_elements($4::jsonb) as k on conflict do nothing`,
          [tx.tenant, job.id, work.step.ordinal, JSON.stringify(rows.map(({ key }) => key)), n ?? null],
        );
      }
    }, 0);
  }

  /** Whoever gives the erasure up forgets what was noted: nothing may be noted behind their back. */
  private async assertNotGivenUp(tx: UnitOfWork): Promise<void> {
    const begun = 'select 1 from habeas.erasures where id = $1 and job_sealed is not null for share';
    if (await tx.one(begun, [this.context.parts.job.id])) return;
    throw new DomainError('erasure.stopped', 'The erasure was given up.');
  }

  /** Erases them page by page, until none is noted. */
  async erase(work: StepWork): Promise<void> {
    const { name } = work.collection;
    const waiting = this.context.waiting();
    const mayBeUndone = await this.context.mayBeUndone(this.context.aim(work));
    const pace = new Pace();
    // Rows that a cascade holds back are gone over until a whole turn has moved nothing: what hangs from them may go first.
    let turn: { after?: Noted; held: number; moved: boolean } = { held: 0, moved: false };
    for (let refused = 0; ;) {
      const started = performance.now();
      const round = await this.batch(work, pace.size, mayBeUndone, turn.after);
      if (round === undefined && turn.held === 0) return;
      if (round === undefined) {
        if (!turn.moved) throw await this.heldBack(work, turn.held);
        turn = { held: 0, moved: false };
        continue;
      }
      if (round !== 'locked') {
        turn.moved ||= round.settled > 0;
        turn.held += round.held;
        if (round.held > 0) turn.after = round.last;
        if (round.held > 0 && round.settled === 0 && round.left === 0) continue;
      }
      if (round !== 'locked' && round.refused && ++refused > REFUSALS)
        throw rowsKept(name, shown(work.collection.table), round.left, await this.context.soFar(name));
      if (round === 'locked' || round.settled === 0) {
        pace.stumbled();
        await this.context.waitOrThrow(
          waiting,
          work,
          this.context.aim(work),
          round === 'locked' ? pace.size : round.left,
        );
      } else pace.took(performance.now() - started, round.settled);
    }
  }

  /** One page of noted rows: erased, or not there any more, or of others (then they stay); what is locked stays noted. */
  private async batch(
    work: StepWork,
    size: number,
    mayBeUndone: boolean,
    after?: Noted,
  ): Promise<Round | 'locked' | undefined> {
    const { job, files } = this.context.parts;
    const { ordinal } = work.step;
    return this.context.attempt(work, async (tx) => {
      const noted = await tx.query<Noted>(
        `select key, subject from habeas.erasure_rows where erasure_id = $1 and ordinal = $2
           and ($4::jsonb is null or (coalesce(subject, -1), key) > ($5, $4::jsonb))
         order by coalesce(subject, -1), key limit $3 for update skip locked`,
        [job.id, ordinal, size, after ? JSON.stringify(after.key) : null, after?.subject ?? -1],
      );
      const [first] = noted;
      if (!first && after) return undefined;
      if (!first) return (await this.isNoted(tx, ordinal)) ? 'locked' : undefined;
      // One person's at a time: each gets their own pseudonym.
      const one = noted.filter(({ subject }) => subject === first.subject);
      const keys = one.map(({ key }) => key);
      const whose = pseudonymised(job, work.collection)[first.subject ?? 0];
      const aim = this.context.aim(work, whose, 'everybody');
      await this.context.settle(tx, aim.selection);
      const batch = await this.context.runBatch(tx, aim, { keys });
      const still = aim.sql.stillThere(keys);
      const left = await tx.asHost((db) => db.query<{ key: unknown }>(still.sql, still.values));
      const undone = new Set(mayBeUndone ? await this.context.undone(tx, aim, batch.keys ?? [], true) : []);
      const done = (batch.keys ?? []).filter((key) => !undone.has(JSON.stringify(key)));
      const erased = new Set(done.map((key) => JSON.stringify(key)));
      const locked = new Set(left.map(({ key }) => JSON.stringify(key)).filter((key) => !erased.has(key)));
      const guard = aim.sql.heldBack(keys);
      const held = guard ? await tx.asHost((db) => db.query<{ key: unknown }>(guard.sql, guard.values)) : [];
      const staying = new Set([...locked, ...held.map(({ key }) => JSON.stringify(key))]);
      await files.note(tx, job.id, ordinal, batch.files ?? []);
      if (work.collection.erasure.rule === 'tombstone') await this.bury(tx, work, done);
      const settled = keys.filter((key) => !staying.has(JSON.stringify(key)));
      await tx.query(
        'delete from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 and key in (select jsonb_array_elements($3::jsonb))',
        [job.id, ordinal, JSON.stringify(settled)],
      );
      await this.context.noteProgress(tx, work, { ...batch, done: done.length }, batch.done > 0);
      const refused = batch.picked > 0 && done.length === 0;
      return {
        settled: settled.length,
        left: locked.size,
        held: held.length,
        last: one.at(-1) ?? first,
        refused,
      };
    });
  }

  private async heldBack(work: StepWork, rows: number): Promise<DomainError> {
    const { sql } = this.context.aim(work);
    const keys = sql.guarded()?.keys.join(', ') ?? '';
    const { name } = work.collection;
    return reachesOthers(name, shown(sql.table), rows, keys, await this.context.soFar(name));
  }

  /** Whether another run of this erasure is at the rows that are left. */
  private async isNoted(tx: UnitOfWork, ordinal: number): Promise<boolean> {
    const one = 'select 1 from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 limit 1';
    return (await tx.one(one, [this.context.parts.job.id, ordinal])) !== undefined;
  }

  private async bury(tx: UnitOfWork, { step, collection }: StepWork, keys: string[][]): Promise<void> {
    const due = this.context.parts.tombstoneDue();
    await tx.query(
      `insert into habeas.tombstones (tenant_id, erasure_id, ordinal, collection, key, due_at, next_attempt_at)
       select $1, $2, $3, $4, k, $5, $5 from jsonb_array_elements($6::jsonb) as k on conflict do nothing`,
      [tx.tenant, this.context.parts.job.id, step.ordinal, collection.name, due, JSON.stringify(keys)],
    );
  }
}
