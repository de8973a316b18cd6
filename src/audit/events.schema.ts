import { z } from 'zod';
import { PageQuery, pageOf } from '../http/paging.js';

const Moment = z.iso.datetime({ offset: true });
const outcomes = ['success', 'failure', 'denied'] as const;
/** What a person typed or is called: one line. */
const Line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'must be one line of text');
const Type = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'a word in lower case, such as person or plan');
const Id = Line(400).describe('Of a person: the id at the host; a pseudonym is kept in its place');
const Kind = z
  .string()
  .max(63)
  .optional()
  .describe('Of a person: a kind of the data map; else the kind that signs in');
const Named = { id: Id, kind: Kind, name: Line(200).optional() };

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const MOST_TEXTS = 100;

/** Keys are told to everybody who reads the log, for ever: names of things only. */
const Facts = z.record(z.string(), z.unknown()).superRefine((facts, context) => {
  let texts = 0;
  const wrong = (value: unknown): boolean => {
    if (typeof value === 'string') texts++;
    if (Array.isArray(value)) return value.some(wrong);
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(([key, inner]) => !NAME.test(key) || wrong(inner));
  };
  if (wrong(facts))
    context.addIssue({ code: 'custom', message: 'a key is not a name: letters, digits, - and _' });
  if (texts > MOST_TEXTS) context.addIssue({ code: 'custom', message: `at most ${MOST_TEXTS} texts` });
});

export const NewEvent = z
  .strictObject({
    occurredAt: Moment.optional().describe('When it happened; now, when left out'),
    action: z
      .string()
      .max(100)
      .regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/, 'noun.verb_past, such as plan.changed'),
    outcome: z.enum(outcomes).default('success'),
    actor: z.strictObject({ type: Type, ...Named }),
    targets: z
      .array(z.strictObject({ type: Type, ...Named }))
      .max(20)
      .default([]),
    subjects: z
      .array(z.strictObject(Named))
      .max(20)
      .default([])
      .describe('Whom it is about, besides the actor'),
    context: Facts.optional().describe('ip, userAgent and the like'),
    metadata: Facts.optional().describe('What changed: codes and numbers. Other text is kept as personal.'),
  })
  .meta({ id: 'NewEvent' });
export type NewEvent = z.infer<typeof NewEvent>;

export const NewEvents = z.union([NewEvent, z.array(NewEvent).min(1).max(100)]);
export type NewEvents = z.infer<typeof NewEvents>;
export const Recorded = z.object({ items: z.array(z.object({ id: z.uuid() })) });

export const EventQuery = PageQuery.extend({
  action: z
    .string()
    .regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?$/, 'an action such as request.filed, or request.*')
    .max(100)
    .optional(),
  actor: Line(400).optional().describe('A person’s id at the host, a pseudonym, or the id of a token'),
  target: Line(400).optional().describe('The id of what it was done to'),
  from: Moment.optional().describe('Not before'),
  to: Moment.optional().describe('Before'),
});
export type EventQuery = z.infer<typeof EventQuery>;

const Actor = z.object({ type: z.string(), id: z.string(), name: z.string().optional() });
export const Event = z
  .object({
    id: z.uuid(),
    occurredAt: Moment,
    action: z.string(),
    outcome: z.enum(outcomes),
    actor: Actor,
    targets: z.array(Actor),
    subjects: z.array(z.object({ id: z.uuid(), name: z.string().optional() })),
    context: z.record(z.string(), z.unknown()),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof Event>;
export const EventList = pageOf(Event);
