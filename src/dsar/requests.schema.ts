import { Duration } from 'luxon';
import { z } from 'zod';
import { Words } from '../http/free-text.js';
import { pageOf } from '../http/paging.js';
import { requestStatuses } from './request-lifecycle.js';

const Kind = z.enum(['access', 'deletion']);
const Jurisdiction = z
  .string()
  .trim()
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,3})?$/, 'a country, or a country and a state: DE, US-CA')
  .describe('Where the person is: a country, or a country and a state (DE, US-CA)');
const Language = z
  .string()
  .trim()
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'a language tag: en, pt-BR')
  .max(35);
const Moment = z.iso.datetime({ offset: true });
const ReceivedAt = Moment.refine((moment) => Date.parse(moment) >= 0, 'must not lie before 1970');
const Day = z.iso.date();
const Mail = z
  .string()
  .trim()
  .max(320)
  .regex(/^[^\s@<>"',;:\\()[\]\u0000-\u001f]+@[^\s@<>"',;:\\()[\]\u0000-\u001f]+$/, 'a mail address');
/** A name or key as the host has it, which is compared and not shown: kept as it is. */
export const Key = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'no control characters');

const WaiveAccessLock = z
  .boolean()
  .describe('With kind deletion: the person does not wait until a package of theirs has been fetched');
/** The person's own will, whoever files: it goes with a deletion only. */
const isDeletionOrNone = {
  coolingOff: ({ kind, coolingOff }: Terms) => kind === 'deletion' || coolingOff === undefined,
  waiveAccessLock: ({ kind, waiveAccessLock }: Terms) => kind === 'deletion' || waiveAccessLock === undefined,
};
interface Terms {
  kind: 'access' | 'deletion';
  coolingOff?: string | undefined;
  waiveAccessLock?: boolean | undefined;
}
const goesWithDeletion = (path: string) => ({ path: [path], message: 'goes with kind deletion' });

const CoolingOff = z.iso
  .duration()
  .max(40)
  .refine((text) => {
    const duration = Duration.fromISO(text);
    return duration.isValid && duration.toMillis() >= 0 && duration.as('days') <= 30;
  }, 'at most 30 days (P30D)')
  .describe('With kind deletion: how long you may still change your mind; PT0S for not at all');

export const NewOwnRequest = z
  .strictObject({
    kind: Kind,
    scope: z
      .enum(['account', 'person'])
      .default('account')
      .describe('account: all that this host holds about me'),
    workspaceId: z.guid().optional().describe('With scope person: within this workspace only'),
    jurisdiction: Jurisdiction.optional(),
    language: Language.optional(),
    coolingOff: CoolingOff.optional(),
    waiveAccessLock: WaiveAccessLock.optional(),
  })
  .refine(isDeletionOrNone.coolingOff, goesWithDeletion('coolingOff'))
  .refine(isDeletionOrNone.waiveAccessLock, goesWithDeletion('waiveAccessLock'))
  .refine(({ scope, workspaceId }) => (scope === 'person') === (workspaceId !== undefined), {
    path: ['workspaceId'],
    message: 'goes with scope person, and scope person needs it',
  });
export type NewOwnRequest = z.infer<typeof NewOwnRequest>;

const NamedSubject = z.union([
  z.strictObject({ mail: Mail }),
  z.strictObject({ kind: Key(63), key: Key(400) }).describe('A person of the data map'),
]);

export const NewWorkspaceRequest = z.discriminatedUnion('scope', [
  z.strictObject({ kind: Kind, scope: z.literal('workspace'), language: Language.optional() }),
  z
    .strictObject({
      kind: Kind,
      scope: z
        .enum(['person', 'account'])
        .describe(
          'person: what this workspace holds of them; account: all that the host holds, filed by its own token in its own tenant',
        ),
      subject: NamedSubject,
      receivedAt: ReceivedAt.optional().describe('When the person asked; the legal clock starts here'),
      jurisdiction: Jurisdiction.optional(),
      language: Language.optional(),
      coolingOff: CoolingOff.optional(),
      waiveAccessLock: WaiveAccessLock.optional(),
    })
    .refine(isDeletionOrNone.coolingOff, goesWithDeletion('coolingOff'))
    .refine(isDeletionOrNone.waiveAccessLock, goesWithDeletion('waiveAccessLock')),
]);
export type NewWorkspaceRequest = z.infer<typeof NewWorkspaceRequest>;

export const NewDeskRequest = z
  .strictObject({
    kind: Kind.default('access'),
    mail: Mail.describe('Where the person wrote from; the link that proves it goes there'),
    channel: z
      .enum(['mail', 'letter', 'phone', 'form', 'in_person', 'other'])
      .describe('How the person wrote in'),
    receivedAt: ReceivedAt.optional().describe('When it arrived; the legal clock starts here'),
    requester: Words(200).optional().describe('Who asked, where it is not the person: an agent, a parent'),
    mandate: Words(1000).optional().describe('What shows that the requester may ask; no copies'),
    workspaceId: z.guid().optional().describe('Only within this workspace'),
    jurisdiction: Jurisdiction.optional(),
    language: Language.optional(),
    coolingOff: CoolingOff.optional(),
    waiveAccessLock: WaiveAccessLock.optional(),
  })
  .refine(isDeletionOrNone.coolingOff, goesWithDeletion('coolingOff'))
  .refine(isDeletionOrNone.waiveAccessLock, goesWithDeletion('waiveAccessLock'));
export type NewDeskRequest = z.infer<typeof NewDeskRequest>;

export const NewOwnVerification = z.strictObject({
  method: z.literal('link').describe('One more link to the address'),
});
export type NewOwnVerification = z.infer<typeof NewOwnVerification>;
export const NewVerification = z.discriminatedUnion('method', [
  NewOwnVerification,
  z.strictObject({
    method: z.literal('manual'),
    seen: Words(500).describe('What was seen; no copies are kept'),
  }),
]);
export type NewVerification = z.infer<typeof NewVerification>;

export const NewApproval = z.strictObject({ decision: z.enum(['approved', 'refused']) });
export type NewApproval = z.infer<typeof NewApproval>;
export const NewExtension = z.strictObject({ reason: Words(2000).describe('The person reads this') });
export type NewExtension = z.infer<typeof NewExtension>;
export const NewPause = z.strictObject({
  reason: Words(2000).describe('What the doubt is; the person reads this'),
  needed: Words(2000).describe('What would settle it; the person reads this'),
});
export type NewPause = z.infer<typeof NewPause>;
export const NewRefusal = z
  .strictObject({
    ground: z
      .string()
      .regex(/^[a-z][a-z0-9_]{1,60}$/)
      .optional()
      .describe('A ground of the request’s law'),
    explanation: Words(4000).optional().describe('In your own words; the person reads this'),
    part: z.guid().optional().describe('Only the part of this workspace'),
    prepared: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional()
      .describe('Instead, by itself: the id of the request’s preparedRefusal, as it was read'),
  })
  .refine(({ ground, prepared }) => (ground === undefined) !== (prepared === undefined), {
    path: ['ground'],
    message: 'give either a ground, or the id of the prepared refusal',
  })
  .refine(
    ({ prepared, explanation, part }) =>
      prepared === undefined || (explanation === undefined && part === undefined),
    { path: ['prepared'], message: 'says all of it: give it alone' },
  );
export type NewRefusal = z.infer<typeof NewRefusal>;
export const NewNote = z.strictObject({ text: Words(10_000) });
export type NewNote = z.infer<typeof NewNote>;
/** Where there is nothing to say but that it happens. */
export const NewWaiver = z.strictObject({
  lock: z
    .literal('access')
    .describe('Of a deletion: not to wait until a package of the person has been fetched'),
});
export type NewWaiver = z.infer<typeof NewWaiver>;

export const Nothing = z.strictObject({}).optional();
export type Nothing = z.infer<typeof Nothing>;
export const NoteList = z.object({
  items: z.array(z.object({ id: z.uuid(), text: z.string(), createdAt: Moment })),
  filing: z
    .object({
      writtenBy: z.string(),
      requester: z.string(),
      mandate: z.string(),
      seen: z.string(),
      endedWith: z.string().describe('Nobody asked: the account ends with this workspace'),
    })
    .partial()
    .describe('What was written down when it was filed, and what was seen as a proof of identity'),
});

export const RequestSummary = z.object({
  id: z.uuid(),
  kind: Kind,
  scope: z.enum(['account', 'person', 'workspace']),
  workspaceId: z.guid().optional(),
  status: z.enum(requestStatuses),
  outcome: z.enum(['full', 'partial', 'no_data']).nullable(),
  channel: z.string().optional(),
  jurisdiction: z.string().nullable().optional(),
  law: z.string().nullable().optional(),
  receivedAt: Moment,
  filedAt: Moment,
  dueOn: Day.nullable().describe('A date in the zone of the jurisdiction; null: contractual'),
  overdue: z.boolean(),
  closedAt: Moment.nullable().optional(),
});
export type RequestSummary = z.infer<typeof RequestSummary>;
export const RequestList = pageOf(RequestSummary);

const Timeline = z.array(
  z.object({
    at: Moment,
    action: z.string(),
    by: z.string(),
    outcome: z.string(),
    metadata: z.record(z.string(), z.unknown()),
  }),
);
const Blockers = z.array(z.object({ code: z.string(), message: z.string() }));

const PreparedRefusalDetail = z.object({
  id: z.string(),
  scope: z.enum(['full', 'partial']),
  reasons: z.array(
    z.object({
      blocker: z.enum(['held', 'sole_owner']),
      ground: z.string(),
      letter: z.array(z.string()).describe('What the person reads, paragraph by paragraph'),
      keeps: z.array(
        z.object({
          scope: z.enum(['account', 'workspace']),
          workspaceId: z.guid().optional(),
          everything: z.boolean().describe('The whole part'),
          collections: z.array(z.object({ collection: z.string(), title: z.string() })),
        }),
      ),
    }),
  ),
  rights: z.array(z.string()).describe('How to complain and go to court, at the end of every letter'),
});

export const RequestDetail = RequestSummary.extend({
  subjects: z.array(z.object({ kind: z.string(), key: z.string(), via: z.string() })),
  identity: z.object({ method: z.string().nullable(), provenAt: Moment.nullable() }),
  clock: z.object({
    source: z.string().optional(),
    text: z.string().optional(),
    verified: z.boolean().optional(),
    decidedBy: z.string().optional(),
    acknowledgeBy: Day.nullable(),
    originalDueOn: Day.nullable(),
    extended: z.boolean(),
    paused: z.boolean(),
  }),
  runAfter: Moment.nullable().optional().describe('Of a proven deletion: it begins then at the earliest'),
  blockers: Blockers.describe('What stands in the way right now'),
  parts: z.array(
    z.object({
      scope: z.enum(['account', 'workspace']),
      workspaceId: z.guid().optional(),
      policy: z.enum(['auto', 'approve']),
      decision: z.string().nullable(),
      decidedAt: Moment.nullable(),
      status: z.enum(requestStatuses),
      outcome: z.enum(['full', 'partial', 'no_data']).nullable().describe('Of this part alone'),
    }),
  ),
  refusals: z.array(
    z.object({
      ground: z.string(),
      title: z.string(),
      text: z.string(),
      source: z.string(),
      part: z.string().nullable(),
      at: Moment,
    }),
  ),
  package: z
    .object({ id: z.uuid(), status: z.string(), bytes: z.number().nullable(), expiresAt: Moment.nullable() })
    .nullable(),
  preparedRefusal: PreparedRefusalDetail.optional().describe(
    'For staff, near the law’s date: what to answer while something still stands in the way; nothing is sent by itself',
  ),
  mentions: z
    .array(
      z.object({
        schema: z.string(),
        table: z.string(),
        column: z.string(),
        kind: z.string().describe('What of them stands there: a mail, an id'),
        rows: z.number(),
      }),
    )
    .optional()
    .describe('For staff, after a deletion: where rows of other people mention the person, for review'),
  failure: z.object({ code: z.string(), message: z.string() }).nullable().optional(),
  attempts: z.number().optional(),
  nextAttemptAt: Moment.nullable().optional(),
  timeline: Timeline,
});
export type RequestDetail = z.infer<typeof RequestDetail>;

/** What the tenant of one part sees of a request that runs elsewhere: never who else is concerned. */
export const PartDetail = RequestSummary.extend({
  policy: z.enum(['auto', 'approve']),
  decision: z.string().nullable(),
  decideBy: Day.nullable().describe('While this workspace decides: its last day for it'),
  subjects: z
    .array(z.object({ kind: z.string(), key: z.string() }))
    .describe('While this workspace decides: about whom'),
  timeline: Timeline,
});
export type PartDetail = z.infer<typeof PartDetail>;

export const PackageDetail = z.object({
  id: z.uuid(),
  status: z.enum(['building', 'ready', 'expired']),
  bytes: z.number().nullable(),
  readyAt: Moment.nullable(),
  expiresAt: Moment.nullable(),
  links: z.array(
    z.object({
      id: z.uuid(),
      createdAt: Moment,
      expiresAt: Moment,
      revokedAt: Moment.nullable(),
      downloads: z.number(),
    }),
  ),
  manifest: z.looseObject({}).nullable(),
});
export const NewLinkAnswer = z.object({
  id: z.uuid().optional().describe('Absent while the package is being built anew'),
  status: z.enum(['sent', 'rebuilding']),
  expiresAt: Moment.optional(),
});
export const OwnData = z.object({
  collections: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      controller: z.enum(['host', 'workspace']),
      purpose: z.string(),
      legalBasis: z.string(),
      rows: z.number(),
    }),
  ),
});
