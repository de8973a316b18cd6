import { z } from 'zod';
import { pageOf } from '../http/paging.js';
import { Moment } from './tokens.schema.js';

/** As the host has it: looked up, and not shown. */
const Key = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'must be one line of text');

export const NewAuditor = z
  .strictObject({
    userId: Key(400).optional().describe('Their key at the host'),
    mail: Key(320).optional().describe('A mail that one person has at the host'),
    expiresAt: Moment.optional(),
  })
  .refine(
    ({ userId, mail }) => (userId === undefined) !== (mail === undefined),
    'give either userId or mail',
  );
export type NewAuditor = z.infer<typeof NewAuditor>;

export const Auditor = z.object({
  id: z.uuid(),
  userId: z.string(),
  grantedAt: Moment,
  expiresAt: Moment.nullable(),
  revokedAt: Moment.nullable(),
});
export const AuditorList = pageOf(Auditor);
