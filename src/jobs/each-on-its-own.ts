import { type JobRef } from './queue.js';

const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Works through everything due, page by page in the order of ids. One poisoned row never stops the others: it fails
 * alone, and the sweep says so at its end.
 * @param page what is due after this id; an empty page ends the sweep
 */
export async function eachOnItsOwn(
  page: (after: string) => Promise<JobRef[]>,
  work: (ref: JobRef) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  for (let after = FIRST; ;) {
    const refs = await page(after);
    for (const ref of refs) await work(ref).catch((error: unknown) => failures.push(error));
    const last = refs.at(-1);
    if (!last) break;
    after = last.id;
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} rows could not be worked on`);
}
