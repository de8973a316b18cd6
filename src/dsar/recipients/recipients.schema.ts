import { z } from 'zod';
import { Words } from '../../http/free-text.js';
import { recipientKinds, taskStatuses } from './recipient.js';

const Moment = z.iso.datetime({ offset: true });

export const RecipientView = z.object({
  name: z.string().describe('As the data map calls it'),
  title: z.string(),
  kind: z.enum(recipientKinds),
  workspaceId: z.guid().optional().describe('The part it is about; absent: the account'),
  status: z
    .enum(taskStatuses)
    .describe(
      'open: not yet; told: it took the message; confirmed: it was asked and has it no more; done: by hand',
    ),
  openedAt: Moment,
  dueAt: Moment,
  toldAt: Moment.nullable(),
  endedAt: Moment.nullable(),
  attempts: z.number(),
  nextAttemptAt: Moment.nullable(),
  failure: z.string().nullable().describe('A code of the last attempt'),
});
export type RecipientView = z.infer<typeof RecipientView>;

export const RecipientList = z.object({ items: z.array(RecipientView) });

/** For whoever does it by hand: whom, as long as that is known, and what was said about it. */
export const RecipientDetail = RecipientView.extend({
  instructions: z.string().optional(),
  people: z.array(z.object({ kind: z.string(), identifiers: z.record(z.string(), z.string()) })),
  note: z.string().nullable(),
});

export const NewConfirmation = z.strictObject({
  note: Words(2000).optional().describe('How it was done; nothing personal'),
});
export type NewConfirmation = z.infer<typeof NewConfirmation>;
