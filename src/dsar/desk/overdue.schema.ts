import { z } from 'zod';

const Moment = z.iso.datetime({ offset: true });

export const OverdueWork = z.object({
  kinds: z.array(
    z.object({
      kind: z
        .string()
        .describe(
          'request, fulfilment, outbox, webhook, expired-package, tombstone, waiting-tombstone (kept by a hold or by somebody else’s row), …',
        ),
      oldestDueAt: Moment.nullable().describe('null: nothing of this kind is due'),
      seconds: z.number().nullable().describe('How long it has been due; null: it could not be read'),
    }),
  ),
  stuckRows: z
    .array(
      z.object({
        work: z.string().describe('A sweep, or queue:name'),
        workspaceId: z.uuid(),
        id: z.uuid().describe('Of the row: a request, a package, a mail, …'),
        code: z.string(),
        times: z.number().describe('How often it has failed in a row'),
        since: Moment,
      }),
    )
    .describe(
      'What sweeps and jobs could not work on while all else went on; oldest first, a hundred at most',
    ),
  suspendedWebhooks: z
    .array(z.object({ id: z.uuid(), workspaceId: z.uuid(), disabledAt: Moment, because: z.string() }))
    .describe(
      'Given up after days of failures, or because the endpoint is gone; latest first, a hundred at most',
    ),
});
