import { z } from 'zod';
import { PageQuery } from '../../http/paging.js';
import { RequestSummary } from '../requests.schema.js';

export const DeskQuery = PageQuery.extend({
  show: z
    .enum(['open', 'stuck', 'overdue', 'closed'])
    .default('open')
    .describe('stuck: failed, retrying or bounced'),
});
export type DeskQuery = z.infer<typeof DeskQuery>;

const Counts = z.object({
  open: z.number(),
  overdue: z.number(),
  stuck: z.number(),
  dueWithinSevenDays: z.number(),
  oldestDueOn: z.string().nullable(),
});
export type Counts = z.infer<typeof Counts>;

export const DeskQueue = z.object({
  counts: Counts,
  items: z.array(
    RequestSummary.extend({
      path: z.string().describe('Where staff open it; account matters lie in the host’s own tenant'),
      identityProven: z.boolean(),
      waitingFor: z
        .array(z.string())
        .describe('What stands in the way: identity, approvals, a retry, a blocker, a person'),
      attempts: z.number(),
      nextAttemptAt: z.string().nullable(),
      failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
  next: z.string().nullable(),
});
export type DeskQueue = z.infer<typeof DeskQueue>;
