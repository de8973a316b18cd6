import { z } from 'zod';
import { requestStatuses } from '../request-lifecycle.js';

const Moment = z.iso.datetime({ offset: true });

export const DeletionPlan = z.object({
  requestId: z.uuid(),
  status: z.enum(requestStatuses),
  runAfter: Moment.nullable().describe('It begins then at the earliest'),
  blockers: z.array(z.object({ code: z.string(), message: z.string() })),
  parts: z.array(
    z.object({
      scope: z.enum(['account', 'workspace']),
      workspaceId: z.guid().optional(),
      collections: z
        .array(
          z.object({
            collection: z.string(),
            title: z.string(),
            controller: z.enum(['host', 'workspace']),
            rule: z.enum(['delete', 'pseudonymise', 'clear', 'tombstone', 'keep']),
            ground: z.string().optional(),
            until: z.string().optional(),
            rows: z.number(),
            files: z.number(),
          }),
        )
        .describe('What becomes of what there is'),
    }),
  ),
  offer: z
    .object({
      kind: z.literal('access'),
      scope: z.enum(['account', 'person', 'workspace']),
      workspaceId: z.guid().optional(),
    })
    .nullable()
    .describe(
      'A request to file for a copy first: at /v1/me/requests, for a workspace at /v1/workspaces/:workspaceId/requests',
    ),
});

/** See docs/certificate.md; checked with `npx habeas certificate verify`. */
export const ErasureCertificate = z.looseObject({
  format: z.string(),
  erasureId: z.guid(),
  requestId: z.guid(),
  completedAt: Moment,
  final: z.boolean(),
  residues: z.literal(0),
});
