import { z } from 'zod';
import { Words } from '../../http/free-text.js';
import { pageOf } from '../../http/paging.js';
import { Key } from '../requests.schema.js';

const Moment = z.iso.datetime({ offset: true });

export const deletionReasons = ['owner_request', 'subscription_ended', 'orphaned'] as const;
export type DeletionReason = (typeof deletionReasons)[number];

export const NewWorkspaceDeletion = z
  .strictObject({
    confirm: Key(400).optional().describe('An owner types the name of the workspace (its id if it has none)'),
    reason: z
      .enum(deletionReasons)
      .default('owner_request')
      .describe(
        'subscription_ended: only by a token of the host itself, or support. orphaned: only by support, of a workspace without an owner',
      ),
    explanation: Words(4000)
      .optional()
      .describe('Support says why; kept as a note of the request that only staff read'),
  })
  .meta({ id: 'NewWorkspaceDeletion' });
export type NewWorkspaceDeletion = z.infer<typeof NewWorkspaceDeletion>;

export const deletionStates = ['none', 'scheduled', 'in_progress', 'failed', 'purged'] as const;

/** What the host app shows a banner by. Members get status and dates; the rest is for those who may act on it. */
export const WorkspaceDeletion = z
  .object({
    status: z.enum(deletionStates),
    scheduledAt: Moment.optional(),
    scheduledFor: Moment.optional().describe('When the grace ends and the purge may begin'),
    cancellable: z.boolean().optional().describe('Whether DELETE at this address still stops it'),
    cancellableUntil: Moment.optional().describe('At least until then; absent once the purge has begun'),
    purgedAt: Moment.optional(),
    requestId: z.guid().optional(),
    reason: z.enum(deletionReasons).optional(),
    blockers: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
    package: z
      .object({
        status: z.enum(['none', 'open', 'ready']),
        requestId: z.guid().optional(),
        expiresAt: Moment.optional(),
        href: z.string().describe('Where a copy is asked for: POST {"kind": "access", "scope": "workspace"}'),
      })
      .optional()
      .describe('A copy of everything, to be had before it is gone (Art. 28(3)(g) GDPR)'),
    plan: z.string().optional().describe('Where to read what will go'),
  })
  .meta({ id: 'WorkspaceDeletion' });
export type WorkspaceDeletion = z.infer<typeof WorkspaceDeletion>;

export const OrphanedWorkspaces = pageOf(
  z.object({
    workspaceId: z.guid(),
    why: z
      .enum(['no_owner', 'not_at_host'])
      .describe('no_owner: nobody is its owner; not_at_host: the host has no such workspace any more'),
    deletion: z
      .object({ requestId: z.guid(), status: z.string(), scheduledFor: Moment.nullable() })
      .nullable()
      .describe('The one that is open'),
    path: z.string().describe('Where support schedules or cancels its deletion'),
  }),
).meta({ id: 'OrphanedWorkspaces' });
export type OrphanedWorkspaces = z.infer<typeof OrphanedWorkspaces>;
