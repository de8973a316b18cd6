import { isHeld, REFERRED_TO, toldName } from '../../datamap/held-rows.js';
import { type StepOutcome, type StepPlan } from '../erasure.js';

/** Why rows of a `shared` collection stay, and until when: no law, only the others in them. */
const SHARED = { ground: 'Shared with others', until: 'Nobody else is left in it.' };

/** Whether an entry is about rows that stay for others, and not about something of the person's that is kept. */
export const isShared = ({ rule, ground }: { rule: string; ground?: string | undefined }): boolean =>
  rule === 'keep' && ground === SHARED.ground;

/** A step as it is told: what is done, and beside it what stays as it is because it is shared, or others refer to it. */
export function sharedApart<S extends StepPlan & Partial<StepOutcome>>(planned: S): S[] {
  const held = isHeld(planned.collection);
  const step: S = { ...planned, collection: toldName(planned.collection) };
  const { stays = 0, rule, rows, done = 0, letGo = 0 } = step;
  if (stays === 0 || (rule !== 'delete' && !held)) return [step];
  const nothingDone = { files: 0, done: 0, filesRemoved: 0, pendingSweep: 0, pointersCleared: 0, letGo: 0 };
  const why = held ? REFERRED_TO : SHARED;
  const kept: S = { ...step, rule: 'keep', ...why, ...nothingDone, rows: stays };
  return rows + done + letGo > 0 ? [step, kept] : [kept];
}
