import { z } from 'zod';

const Value = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'must be one line of text')
    .optional();

const Identifier = z
  .strictObject({
    kind: z.string().max(63).optional().describe('A kind of the data map; absent: whatever they are here'),
    mail: Value(320),
    id: Value(400).describe('The person’s key at the host'),
    phone: Value(50),
  })
  .refine(({ mail, id, phone }) => [mail, id, phone].filter((v) => v !== undefined).length === 1, {
    message: 'give one of mail, id and phone',
  });

export const SuppressionCheck = z
  .strictObject({ identifiers: z.array(Identifier).min(1).max(1000) })
  .meta({ id: 'SuppressionCheck' });
export type SuppressionCheck = z.infer<typeof SuppressionCheck>;
export type AskedIdentifier = SuppressionCheck['identifiers'][number];

/** In the order of the question; nothing of it is repeated. */
export const SuppressionAnswers = z.object({
  items: z.array(
    z.object({
      suppressed: z.boolean(),
      since: z.iso.date().optional().describe('The day of the erasure, where it was this workspace’s'),
    }),
  ),
});
export type SuppressionAnswer = z.infer<typeof SuppressionAnswers>['items'][number];
