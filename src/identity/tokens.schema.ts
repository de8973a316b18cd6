import { z } from 'zod';
import { Line } from '../http/free-text.js';
import { pageOf } from '../http/paging.js';
import { permissions } from './roles.js';

export const Moment = z.iso.datetime({ offset: true });

export const NewToken = z.strictObject({
  name: Line(100).describe('What it is for, e.g. the app that uses it'),
  permissions: z
    .array(z.enum(permissions))
    .min(1)
    .max(permissions.length)
    .refine((list) => new Set(list).size === list.length, 'must not name a permission twice'),
  expiresAt: Moment.optional().describe('At most a year ahead, which is also what it is when not given'),
});
export type NewToken = z.infer<typeof NewToken>;

export const Token = z.object({
  id: z.uuid(),
  name: z.string(),
  permissions: z.array(z.enum(permissions)),
  createdAt: Moment,
  expiresAt: Moment,
  lastUsedAt: Moment.nullable().describe('To the minute'),
  revokedAt: Moment.nullable(),
});
export const CreatedToken = Token.extend({ token: z.string().describe('Shown once, kept as a hash') });
export const Tokens = pageOf(Token);

/** The keyset of lists that are ordered by when something was made: its id. */
export const After = z.uuid();
