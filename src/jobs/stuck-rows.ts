import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { DomainError } from '../errors.js';
import { RowFailure } from './each-on-its-own.js';
import { type JobRef } from './queue.js';

/** A desk needs to see that a sweep is stuck and on what; of ten thousand rows that fail alike the first will do. */
const MOST = 1000;

/** What sweeps and jobs could not work on, for the desk: a row leaves when a later round or try has passed it. */
@Injectable()
export class StuckRows {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @param error what the round threw; a round that failed as a whole says nothing about single rows */
  async note(sweep: string, error: unknown): Promise<void> {
    const { failures, whole } = readRound(error);
    const stuck = new Set(failures.map(({ ref }) => keyOf(ref)));
    for (const { ref, cause } of failures.slice(0, MOST))
      await this.write(ref, write, [sweep, ref.id, codeOf(cause)]);
    if (!whole) return;
    for (const ref of await this.noted(sweep))
      if (!stuck.has(keyOf(ref))) await this.write(ref, forget, [sweep, ref.id]);
  }

  /** @param error of one try at one job; undefined when it went through */
  async noteJob(queue: string, ref: JobRef, error: unknown): Promise<void> {
    const work = `queue:${queue}`;
    if (error === undefined) await this.write(ref, forget, [work, ref.id]);
    else await this.write(ref, write, [work, ref.id, codeOf(error)]);
  }

  private noted(sweep: string): Promise<JobRef[]> {
    return this.database.asSweep((tx) => tx.query<JobRef>(noted, [sweep]));
  }

  private async write({ tenant }: JobRef, sql: string, values: unknown[]): Promise<void> {
    await this.database.asJob(tenant, 'sweeps', (tx) =>
      tx.query(sql, sql === write ? [tenant, ...values, this.clock.now()] : values),
    );
  }
}

/** `whole`: the round has looked at every row, so that what did not fail has been passed. */
function readRound(error: unknown): { failures: RowFailure[]; whole: boolean } {
  if (error === undefined) return { failures: [], whole: true };
  const all: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const failures = all.filter((one) => one instanceof RowFailure);
  return { failures, whole: failures.length === all.length };
}

/** Never the message: the driver's holds values of rows. */
function codeOf(cause: unknown): string {
  if (cause instanceof DomainError) return cause.code;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'unexpected';
}

const keyOf = ({ tenant, id }: JobRef) => `${tenant}/${id}`;

const noted = `select tenant_id as "tenant", row_id as "id" from habeas.stuck_rows where work = $1`;

const write = `
  insert into habeas.stuck_rows as known (tenant_id, work, row_id, code, since) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, work, row_id) do update set code = excluded.code, times = known.times + 1`;

const forget = `delete from habeas.stuck_rows where work = $1 and row_id = $2`;
