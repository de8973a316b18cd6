import { z } from 'zod';
import { Line } from '../../http/free-text.js';
import { pageOf } from '../../http/paging.js';

/** As the host has it: compared, and not shown. */
const Key = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}]*$/u, 'one line of text');

export const NewHold = z.strictObject({
  subject: z
    .strictObject({ kind: Key(63), key: Key(400) })
    .optional()
    .describe('Absent: the whole workspace'),
  collection: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,62}$/)
    .optional()
    .describe('Of the data map; absent: all'),
  ground: Line(500).describe('The law, claim or order that demands it'),
  details: Line(2000).optional().describe('For staff only; sealed'),
  disclosable: z.boolean().default(false).describe('Whether the person may be told'),
  reviewOn: z.iso.date().describe('When somebody looks at it again'),
});
export type NewHold = z.infer<typeof NewHold>;

export const HoldAnswer = z.object({
  id: z.uuid(),
  subject: z.object({ kind: z.string(), key: z.string() }).nullable(),
  collection: z.string().nullable(),
  ground: z.string(),
  disclosable: z.boolean(),
  reviewOn: z.iso.date(),
  placedAt: z.iso.datetime(),
  releasedAt: z.iso.datetime().nullable(),
});
export const HoldList = pageOf(HoldAnswer);

/** The keyset of the list: when it was placed, and its id. */
export const AfterHold = z.tuple([z.string().regex(/^[\d\-: .+T]{10,40}$/), z.guid()]);
