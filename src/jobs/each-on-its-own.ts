import { type JobRef } from './queue.js';

const FIRST = '00000000-0000-0000-0000-000000000000';

/** One row that could not be worked on, and why. */
export class RowFailure extends Error {
  constructor(
    readonly ref: JobRef,
    cause: unknown,
  ) {
    super('a row could not be worked on', { cause });
    this.name = 'RowFailure';
  }
}

/**
 * Works through everything due, page by page in the order of ids. One poisoned row never stops the others: it fails
 * alone, and the sweep says so at its end.
 * @param page what is due after this id; an empty page ends the sweep
 * @throws AggregateError of `RowFailure`s, once all the others are done; see `StuckRows`
 */
export async function eachOnItsOwn(
  page: (after: string) => Promise<JobRef[]>,
  work: (ref: JobRef) => Promise<unknown>,
): Promise<void> {
  const failures: RowFailure[] = [];
  for (let after = FIRST; ;) {
    const refs = await page(after);
    for (const ref of refs)
      await work(ref).catch((error: unknown) => failures.push(new RowFailure(ref, error)));
    const last = refs.at(-1);
    if (!last) break;
    after = last.id;
  }
  throwIfAny(failures);
}

/** For sweeps that walk their rows in another order. @throws AggregateError */
export function throwIfAny(failures: readonly RowFailure[]): void {
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} rows could not be worked on`);
}

/** Several rounds of one sweep: what fails in one does not keep the next from running. @throws AggregateError */
export async function oneAfterTheOther(...rounds: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const round of rounds)
    await round().catch((error: unknown) =>
      failures.push(...(error instanceof AggregateError ? (error.errors as unknown[]) : [error])),
    );
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} failures in a sweep`);
}
