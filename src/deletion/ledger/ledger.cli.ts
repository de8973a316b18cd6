/** What `habeas erasures plan` and `replay` print: ids, collections and counts, nobody. */
import { DateTime } from 'luxon';
import { DomainError } from '../../errors.js';
import {
  type EraserPort,
  type LedgerReplay,
  type Recurrence,
  type Replayed,
  type ReplayPlan,
} from './replay.js';

interface Report {
  text: string;
  /** 1: there is something to do, or to look at. */
  exitCode: 0 | 1;
}

/** @param since ISO 8601, when the backup was taken */
export async function planReport(replay: LedgerReplay, since?: string): Promise<Report> {
  const plan = await replay.plan(since === undefined ? undefined : instantOf(since));
  const { read, recurrences } = plan;
  const summary =
    recurrences.length === 0
      ? `${count(read, 'erasure')} looked at: nobody came back.`
      : `${count(read, 'erasure')} looked at: ${recurrences.length} undone. Repeat them before anybody works with the data:\n` +
        `  npx habeas erasures replay --since ${since ?? '<when the backup was taken>'}`;
  const lines = [...recurrences.map(told), ...problemsOf(plan), summary];
  return { text: `${lines.join('\n')}\n`, exitCode: recurrences.length + plan.problems.length > 0 ? 1 : 0 };
}

/** @param only ids of erasures, the doubtful among them too */
export async function replayReport(
  replay: LedgerReplay,
  eraser: EraserPort,
  { since, only, write }: { since: string; only?: string[]; write: (text: string) => void },
): Promise<0 | 1> {
  const counts = new Map<Replayed['outcome'], number>();
  for await (const { erasureId, outcome, failure } of replay.replay(eraser, instantOf(since), only)) {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    write(`${erasureId}  ${outcomes[outcome]}${failure === undefined ? '' : ` (${failure})`}\n`);
  }
  const open = ['doubtful', 'incomplete', 'failed'] as const;
  const left = open.reduce((sum, outcome) => sum + (counts.get(outcome) ?? 0), 0);
  const done = counts.get('repeated') ?? 0;
  write(`${count(done, 'erasure')} repeated, ${left} left to look at.\n`);
  return left > 0 ? 1 : 0;
}

const outcomes: Record<Replayed['outcome'], string> = {
  repeated: 'erased again',
  nothing_left: 'nothing left to do',
  doubtful: 'NOT repeated: its key may be somebody else’s by now. Look, then name it with --only',
  incomplete: 'repeated, but rows are left: see npx habeas erasures plan',
  failed: 'FAILED; run this again',
};

function told({ entry, left, doubtful }: Recurrence): string {
  const rows = left.map((each) => `${each.collection} ${each.rows}`).join(', ');
  return `${entry.erasureId}  ${entry.scope.padEnd(9)} erased ${entry.completedAt}${doubtful ? '  DOUBTFUL' : ''}\n    there again: ${rows}`;
}

const problemsOf = ({ problems }: ReplayPlan): string[] =>
  problems.map(({ path, problem }) => `NOT READ  ${path} (${problem})`);

function instantOf(text: string): Date {
  const instant = DateTime.fromISO(text, { zone: 'utc' });
  if (!instant.isValid)
    throw new DomainError(
      'input.invalid_moment',
      '--since takes a moment in ISO 8601, such as 2026-11-20T04:00:00Z.',
    );
  return instant.toJSDate();
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
