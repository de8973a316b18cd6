/** Rows that were noted before anything went, because nothing leads to them any more when it is their turn. */
import { type UnitOfWork } from '../database/unit-of-work.js';
import { shown } from '../datamap/names.js';
import { type Subject } from '../datamap/settings.js';
import { DomainError } from '../errors.js';
import { rowsCameBack } from './erasure-failure.js';
import { pseudonymised } from './erasure-plan.js';
import { Pace } from './pace.js';
import { type StepContext, type StepWork } from './step-context.js';

const AT_ONCE = 1000;
/** Rounds in which rows were found and none would go. */
const REFUSALS = 5;

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
    if (sql.key.length === 0)
      throw new DomainError(
        'datamap.drift',
        `Table ${shown(sql.table)} has no key by which rows could be noted.`,
      );
    await this.context.within(async (tx) => {
      await this.context.settle(tx, selection);
      await tx.asHost((db) => db.query(`declare noted no scroll cursor for ${sql.keys()}`));
      for (;;) {
        const rows = await tx.asHost((db) => db.query<{ key: unknown }>(`fetch ${AT_ONCE} from noted`));
        if (rows.length === 0) return;
        await tx.query(
          `insert into habeas.erasure_rows (tenant_id, erasure_id, ordinal, key, subject)
           select $1, $2, $3, k, $5 from jsonb_array_elements($4::jsonb) as k on conflict do nothing`,
          [tx.tenant, job.id, work.step.ordinal, JSON.stringify(rows.map(({ key }) => key)), n ?? null],
        );
      }
    }, 0);
  }

  /** Erases them page by page, until none is noted. */
  async erase(work: StepWork): Promise<void> {
    const waiting = this.context.waiting();
    const pace = new Pace();
    for (let refused = 0; ;) {
      const started = performance.now();
      const round = await this.batch(work, pace.size);
      if (round === undefined) return;
      if (round !== 'locked' && round.refused && ++refused > REFUSALS)
        throw rowsCameBack(work.collection.name, shown(work.collection.table), round.left, work.step.done);
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
  ): Promise<{ settled: number; left: number; refused: boolean } | 'locked' | undefined> {
    const { job, files } = this.context.parts;
    const { ordinal } = work.step;
    return this.context.attempt(work, async (tx) => {
      const noted = await tx.query<{ key: unknown; subject: number | null }>(
        `select key, subject from habeas.erasure_rows where erasure_id = $1 and ordinal = $2
         order by subject, key limit $3 for update skip locked`,
        [job.id, ordinal, size],
      );
      const [first] = noted;
      if (!first) return (await this.isNoted(tx, ordinal)) ? 'locked' : undefined;
      // One person's at a time: each gets their own pseudonym.
      const keys = noted.filter(({ subject }) => subject === first.subject).map(({ key }) => key);
      const whose = pseudonymised(job, work.collection)[first.subject ?? 0];
      const aim = this.context.aim(work, whose, 'everybody');
      await this.context.settle(tx, aim.selection);
      const batch = await this.context.runBatch(tx, aim, { keys });
      const still = aim.sql.stillThere(keys);
      const left = await tx.asHost((db) => db.query<{ key: unknown }>(still.sql, still.values));
      const erased = new Set((batch.keys ?? []).map((key) => JSON.stringify(key)));
      const locked = new Set(left.map(({ key }) => JSON.stringify(key)).filter((key) => !erased.has(key)));
      await files.note(tx, job.id, ordinal, batch.files ?? []);
      if (work.collection.erasure.rule === 'tombstone') await this.bury(tx, work, batch.keys ?? []);
      const settled = keys.filter((key) => !locked.has(JSON.stringify(key)));
      await tx.query(
        'delete from habeas.erasure_rows where erasure_id = $1 and ordinal = $2 and key in (select jsonb_array_elements($3::jsonb))',
        [job.id, ordinal, JSON.stringify(settled)],
      );
      await this.context.noteProgress(tx, work, batch);
      return { settled: settled.length, left: locked.size, refused: batch.picked > 0 && batch.done === 0 };
    });
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
