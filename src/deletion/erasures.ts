// A later attempt may have erased what was there after the first one's end: certificate, ledger and the time from which
// a backup is suspected all follow from this moment.
const noteErased = `
  update habeas.erasures e set erased_at = $2
  where id = $1 and (erased_at is null or exists (
    select from habeas.erasure_steps s where s.erasure_id = e.id and s.finished_at > e.erased_at))`;

const reopen = `
  update habeas.erasure_steps set finished_at = null
  where erasure_id = $1 and rule <> 'keep' and ($2::text[] is null or collection = any ($2))`;

/**
 * Has steps that were done looked at again by the next attempt, because something of the person is there.
 * @param collections only theirs; absent: all
 */
export const reopenSteps = async (
  tx: UnitOfWork,
  id: string,
  collections?: readonly string[],
): Promise<void> => {
  await tx.query(reopen, [id, collections ?? null]);
};

/** What is kept of an erasure while it runs and until its certificate is final. Every call is in the tenant of `tx`. */
import { type Clock } from '../clock.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { notFound } from '../errors.js';
import { type Sealing } from '../keys/sealing.js';
import { type SoFar } from './erasure-failure.js';
import { type ErasureJob, type ErasurePlan, type Kept, type StepOutcome } from './erasure.js';
import { type Place } from './residue/report.js';

export interface Step extends StepOutcome {
  ordinal: number;
  finishedAt: Date | null;
}

const insertErasure = `
  insert into habeas.erasures (id, tenant_id, job_id, scope, map_hash, job_sealed, created_at)
  values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, job_id) do nothing returning id`;

const insertSteps = `
  insert into habeas.erasure_steps (tenant_id, erasure_id, ordinal, collection, controller, workspace, rule, ground, until,
                                    rows, files, stays)
  select $1, $2, s.n, s.step ->> 'collection', s.step ->> 'controller', s.step ->> 'workspace', s.step ->> 'rule',
         s.step ->> 'ground', s.step ->> 'until', (s.step ->> 'rows')::bigint, (s.step ->> 'files')::bigint,
         coalesce((s.step ->> 'stays')::bigint, 0)
  from jsonb_array_elements($3::jsonb) with ordinality as s(step, n)`;

const insertKept = `
  insert into habeas.erasure_steps (tenant_id, erasure_id, ordinal, collection, controller, workspace, rule, ground, until,
                                    rows, files, done, finished_at)
  select $1, $2, max(ordinal) + 1, $3, $4, $5, 'keep', $6, $7, $8::bigint, $9::bigint, $8::bigint, $10
  from habeas.erasure_steps where erasure_id = $2`;

const readSteps = `
  select s.ordinal, s.collection, s.controller, s.workspace, s.rule, s.ground, s.until, s.rows::float8, s.files::float8,
         s.done::float8, s.files_removed::float8 as "filesRemoved", s.finished_at as "finishedAt",
         s.pointers_cleared::float8 as "pointersCleared", s.let_go::float8 as "letGo",
         s.stays::float8,
         (select count(*) from habeas.tombstones t
           where t.erasure_id = s.erasure_id and t.ordinal = s.ordinal and t.swept_at is null)::int as "pendingSweep"
  from habeas.erasure_steps s where s.erasure_id = $1 order by s.ordinal`;

type StepRow = Omit<Step, 'workspace' | 'ground' | 'until'> & {
  workspace: string | null;
  ground: string | null;
  until: string | null;
};

export type Progress = Partial<Pick<StepOutcome, 'done' | 'pointersCleared' | 'letGo'>>;

const howFar = `
  select e.irreversible_at is not null as begun,
         coalesce(sum(s.done) filter (where s.collection = $2), 0)::float8 as own,
         coalesce(sum(s.done) filter (where s.collection <> $2), 0)::float8 as elsewhere
  from habeas.erasures e left join habeas.erasure_steps s on s.erasure_id = e.id and s.rule <> 'keep'
  where e.id = $1 group by e.id`;

export class Erasures {
  constructor(
    private readonly sealing: Sealing,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps job and plan before anything is erased. A job that has begun keeps its first plan and pseudonyms.
   * @returns the job as it will run
   */
  async begin(tx: UnitOfWork, job: ErasureJob, plan: ErasurePlan, mapHash: string): Promise<ErasureJob> {
    const values = [
      job.id,
      tx.tenant,
      job.jobId,
      job.scope,
      mapHash,
      this.sealing.seal('erasure.job', job),
      this.clock.now(),
    ];
    if (!(await tx.one(insertErasure, values))) return this.ofJob(tx, job.jobId);
    await tx.query(insertSteps, [tx.tenant, job.id, JSON.stringify(plan.steps)]);
    return job;
  }

  /** The job of this work. @throws DomainError `erasure.not_found`, also once it is wiped */
  async ofJob(tx: UnitOfWork, jobId: string): Promise<ErasureJob> {
    const row = await tx.one<{ sealed: Buffer | null }>(
      'select job_sealed as sealed from habeas.erasures where tenant_id = $1 and job_id = $2',
      [tx.tenant, jobId],
    );
    if (!row?.sealed) throw notFound('erasure');
    return this.sealing.open<ErasureJob>('erasure.job', row.sealed);
  }

  async steps(tx: UnitOfWork, id: string): Promise<Step[]> {
    const rows = await tx.query<StepRow>(readSteps, [id]);
    return rows.map(({ workspace, ground, until, pointersCleared, letGo, stays, ...step }) => ({
      ...step,
      ...(pointersCleared ? { pointersCleared } : {}),
      ...(letGo ? { letGo } : {}),
      ...(stays ? { stays } : {}),
      ...(workspace !== null && { workspace }),
      ...(ground !== null && { ground }),
      ...(until !== null && { until }),
    }));
  }

  /**
   * What has become of each step, for the certificate; those that found nothing are left out. Rows that only stay for
   * others are no work: without any there are no outcomes.
   */
  async outcomes(tx: UnitOfWork, id: string): Promise<StepOutcome[]> {
    const steps = await this.steps(tx, id);
    const worked = ({ rows, done, letGo = 0 }: Step) => rows > 0 || done > 0 || letGo > 0;
    if (!steps.some(worked)) return [];
    return steps
      .filter((step) => worked(step) || (step.stays ?? 0) > 0)
      .map(({ ordinal: _, finishedAt: __, ...outcome }) => outcome);
  }

  /** Whether something is gone that nothing brings back: from then on there is no withdrawal. */
  async isIrreversible(tx: UnitOfWork, id: string): Promise<boolean> {
    const row = await tx.one<{ begun: boolean }>(
      'select irreversible_at is not null as begun from habeas.erasures where id = $1',
      [id],
    );
    return row?.begun ?? false;
  }

  /** How far it is, told from where one collection stands. */
  async soFar(tx: UnitOfWork, id: string, collection: string): Promise<SoFar> {
    const row = await tx.one<SoFar>(howFar, [id, collection]);
    return row ?? { own: 0, elsewhere: 0, begun: false };
  }

  /** Notes that a batch is about to commit; @returns whether it is the first, which is the caller's to tell. */
  async noteIrreversible(tx: UnitOfWork, id: string): Promise<boolean> {
    const update =
      'update habeas.erasures set irreversible_at = $2 where id = $1 and irreversible_at is null returning 1';
    return (await tx.one(update, [id, this.clock.now()])) !== undefined;
  }

  async noteProgress(tx: UnitOfWork, id: string, ordinal: number, progress: Progress): Promise<void> {
    const { done = 0, pointersCleared = 0, letGo = 0 } = progress;
    await tx.query(
      `update habeas.erasure_steps set done = done + $3, pointers_cleared = pointers_cleared + $4, let_go = let_go + $5
       where erasure_id = $1 and ordinal = $2`,
      [id, ordinal, done, pointersCleared, letGo],
    );
  }

  /** Counted anew right before the first row goes; later, by another worker say, there is less to find. */
  async noteStays(tx: UnitOfWork, id: string, ordinal: number, stays: number): Promise<void> {
    await tx.query(
      `update habeas.erasure_steps s set stays = $3 from habeas.erasures e
       where s.erasure_id = $1 and s.ordinal = $2 and e.id = $1 and e.irreversible_at is null`,
      [id, ordinal, stays],
    );
  }

  async noteFinished(tx: UnitOfWork, id: string, ordinal: number, done?: number): Promise<void> {
    await tx.query(
      `update habeas.erasure_steps set finished_at = $3, done = coalesce($4::bigint, done)
       where erasure_id = $1 and ordinal = $2 and finished_at is null`,
      [id, ordinal, this.clock.now(), done ?? null],
    );
  }

  /** Keeps what is left of an open step: what it has done so far stays told, and the rest is a step that is kept. */
  async leave(tx: UnitOfWork, id: string, step: Step, kept: Kept, left: { rows: number; files: number }) {
    const now = this.clock.now();
    await tx.query('delete from habeas.erasure_rows where erasure_id = $1 and ordinal = $2', [
      id,
      step.ordinal,
    ]);
    if (step.done === 0)
      await tx.query('delete from habeas.erasure_steps where erasure_id = $1 and ordinal = $2', [
        id,
        step.ordinal,
      ]);
    else await this.noteFinished(tx, id, step.ordinal);
    await tx.query(insertKept, [
      tx.tenant, id, step.collection, step.controller, step.workspace ?? null, kept.ground, kept.until ?? null,
      left.rows, left.files, now,
    ]); // prettier-ignore
  }

  /** Seals the job as it goes on. */
  async change(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    await tx.query('update habeas.erasures set job_sealed = $2 where id = $1 and job_sealed is not null', [
      job.id,
      this.sealing.seal('erasure.job', job),
    ]);
  }

  /** The host's rows and files are done: now, unless no step has ended since this was said the last time. */
  async noteErased(tx: UnitOfWork, id: string): Promise<void> {
    await tx.query(noteErased, [id, this.clock.now()]);
  }

  /** Where other people's rows mention the person, for staff to look at: names of tables and counts. */
  async noteMentions(tx: UnitOfWork, id: string, mentions: readonly Place[]): Promise<void> {
    await tx.query('update habeas.erasures set mentions = $2 where id = $1', [id, JSON.stringify(mentions)]);
  }

  /** Those of the erasure that this work led to; none before its search has ended. */
  async mentions(tx: UnitOfWork, jobId: string): Promise<Place[]> {
    const row = await tx.one<{ mentions: Place[] | null }>(
      'select mentions from habeas.erasures where tenant_id = $1 and job_id = $2',
      [tx.tenant, jobId],
    );
    return row?.mentions ?? [];
  }

  /** Forgets whom it was about: the last thing, when residue search, certificate and mail are done. */
  async wipe(tx: UnitOfWork, id: string): Promise<void> {
    await tx.query(
      'update habeas.erasures set job_sealed = null, wiped_at = $2 where id = $1 and job_sealed is not null',
      [id, this.clock.now()],
    );
  }
}
