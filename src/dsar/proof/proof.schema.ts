import { z } from 'zod';
import { RequestDetail } from '../requests.schema.js';

export const ProofAction = z
  .strictObject({
    action: z
      .enum(['confirm', 'withdraw', 'waive'])
      .optional()
      .describe('Default: confirm, which is all that a link is for before it is proven'),
  })
  .optional()
  .meta({ id: 'ProofAction' });
export type ProofAction = z.infer<typeof ProofAction>;

const detail = RequestDetail.shape;

/** What was asked, of whom, and when: as much as the mail with the link said. */
const Asked = z.object({
  requestId: detail.id,
  kind: detail.kind,
  scope: detail.scope,
  workspace: z.string().optional(),
  controller: z.object({ name: z.string(), contact: z.string().optional(), dpo: z.string().optional() }),
  receivedAt: detail.receivedAt,
  zone: z.string(),
});

const Unproven = Asked.extend({ state: z.literal('unproven'), linkEndsAt: z.iso.datetime() });

const Proven = Asked.extend({
  state: z.enum(['open', 'closed']),
  status: detail.status,
  outcome: detail.outcome,
  dueOn: detail.dueOn,
  overdue: detail.overdue,
  extended: z.boolean(),
  paused: z.boolean(),
  undecidedParts: z.number().int(),
  blockers: z
    .array(
      z.object({
        code: z.enum(['sole_owner', 'held', 'access_open', 'cooling_off']),
        message: z.string(),
      }),
    )
    .describe('What stands in the way of a deletion, as far as the person may know of it'),
  runAfter: z.iso.datetime().nullable().describe('Of a deletion: it begins then at the earliest'),
  delaysEndOn: z.iso
    .date()
    .nullable()
    .describe('Neither the copy nor undecided parts delay it any longer from this day on'),
  closedAt: z.iso.datetime().nullable(),
  refusals: z.array(
    z.object({
      title: z.string(),
      text: z.string(),
      source: z.string(),
      part: z.boolean().describe('Only a part of it'),
    }),
  ),
  package: z.object({ status: z.string(), expiresAt: z.iso.datetime().nullable() }).nullable(),
  certificate: z
    .object({ final: z.boolean(), issuedAt: z.iso.datetime() })
    .nullable()
    .describe('Of a deletion that is done: it is handed out at /p/{token}/certificate'),
  timeline: detail.timeline,
  mayWithdraw: z.boolean(),
  mayWaive: z.boolean().describe('A deletion that waits until a copy of the data has been downloaded'),
});

/** What the link in a mail shows: before the address is proven, and after. */
export const ProofFacts = z.discriminatedUnion('state', [Unproven, Proven]).meta({ id: 'ProofFacts' });
export type ProofFacts = z.infer<typeof ProofFacts>;
export type ProvenFacts = z.infer<typeof Proven>;
export type UnprovenFacts = z.infer<typeof Unproven>;
