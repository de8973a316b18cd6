import { z } from 'zod';
import { daysOf } from '../../datamap/iso-days.js';

const Days = z
  .string()
  .max(20)
  .regex(
    /^P(?=\d)(\d{1,9}Y)?(\d{1,9}M)?(\d{1,9}W)?(\d{1,9}D)?$/,
    'an ISO 8601 duration of days, weeks, months or years such as P90D',
  )
  // Of what is no duration the line above has spoken.
  .refine((text) => !(daysOf(text).most > 36_600), 'at most a hundred years; null keeps until it is deleted');

const MOST_COLLECTIONS = 500;

const CollectionName = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'the name of a collection');

export const NewRetention = z
  .strictObject({
    collections: z
      .record(CollectionName, z.strictObject({ keep: Days.nullable().describe('null: until deleted') }))
      // Each that is none is objected to in the answer.
      .refine((named) => Object.keys(named).length <= MOST_COLLECTIONS, `at most ${MOST_COLLECTIONS} at once`)
      .optional(),
    auditLog: Days.optional().describe('At least P30D'),
    subscriptionEnded: z
      .enum(['delete', 'keep'])
      .optional()
      .describe('Whether the end of the subscription may schedule the deletion of the workspace'),
  })
  .describe('What is not named stays as it is')
  .meta({ id: 'NewRetention' });
export type NewRetention = z.infer<typeof NewRetention>;

export const PreviewQuery = z
  .strictObject({
    collection: CollectionName.optional().describe('Absent: all'),
    keep: Days.optional().describe('Absent: as it is set, a change that waits included'),
  })
  .refine(({ collection, keep }) => keep === undefined || collection !== undefined, {
    path: ['collection'],
    message: '`keep` is tried on one collection: name it',
  });
export type PreviewQuery = z.infer<typeof PreviewQuery>;

const Pending = z.object({ keep: z.string(), effectiveAt: z.iso.datetime() }).nullable();
const Floor = z.object({ atLeast: z.string(), ground: z.string() }).nullable();

export const RetentionAnswer = z.object({
  collections: z.array(
    z.object({
      collection: z.string(),
      title: z.string(),
      keep: z.string().nullable().describe('In force; null: until deleted'),
      source: z.enum(['workspace', 'default']),
      after: z.string().nullable().describe('The column that the time counts from; null: cannot be swept'),
      pending: Pending.describe('A change that shortens, and when it comes into force'),
      default: z.string().nullable().describe('Of the data map'),
      floor: Floor.describe('The least that a law demands'),
      adjustable: z.boolean(),
      note: z.string().nullable(),
      failing: z
        .object({ rows: z.number(), reasons: z.array(z.string()), nextAttemptAt: z.iso.datetime() })
        .nullable()
        .describe('Rows that could not go; each is tried again'),
    }),
  ),
  auditLog: z.object({
    keep: z.string(),
    source: z.enum(['workspace', 'default']),
    pending: Pending,
    default: z.string(),
    floor: Floor,
  }),
  subscriptionEnded: z.enum(['delete', 'keep']),
  lastSweepAt: z.iso.datetime().nullable(),
  nextSweepAt: z.iso.datetime().nullable().describe('null: nothing has to be swept so far'),
});
export type RetentionAnswer = z.input<typeof RetentionAnswer>;

const Counted = z.object({ collection: z.string(), rows: z.number(), files: z.number() });
export const PreviewAnswer = z.object({
  collections: z.array(
    Counted.extend({
      keep: z.string().nullable(),
      before: z.iso.datetime().nullable().describe('Rows up to here are over'),
      hanging: z.array(Counted).describe('What goes along, because it hangs from such rows'),
    }),
  ),
  rows: z.number().describe('All that would be deleted'),
  files: z.number(),
});
