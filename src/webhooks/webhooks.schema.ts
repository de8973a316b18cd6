import { z } from 'zod';
import { Line } from '../http/free-text.js';
import { pageOf } from '../http/paging.js';
import { WebhookType } from './types.js';

const Moment = z.iso.datetime({ offset: true });
const DAY = 86_400;

export const NewWebhook = z
  .strictObject({
    url: z.string().min(1).max(2048).describe('https, on the open Internet; without user name and password'),
    types: z
      .array(WebhookType)
      .min(1)
      .max(WebhookType.options.length)
      .refine((list) => new Set(list).size === list.length, 'must not name a type twice')
      .describe('What to tell; see docs/webhooks.md'),
    description: Line(200).optional(),
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.infer<typeof NewWebhook>;

export const NewSecret = z
  .strictObject({
    overlapSeconds: z
      .number()
      .int()
      .min(0)
      .max(7 * DAY)
      .default(DAY)
      .describe('How long the last secret still signs beside the new one; 0 when it became known'),
  })
  .meta({ id: 'NewWebhookSecret' });
export type NewSecret = z.infer<typeof NewSecret>;

const Secret = z.object({ id: z.uuid(), createdAt: Moment, expiresAt: Moment.nullable() });

export const ListedWebhook = z.object({
  id: z.uuid(),
  url: z.string(),
  types: z.array(WebhookType),
  description: z.string().nullable(),
  createdAt: Moment,
  failingSince: Moment.nullable().describe('Nothing has arrived there since'),
  disabledAt: Moment.nullable().describe('Given up after days of failures, or 410 Gone'),
  disabledBecause: z.string().nullable(),
});
export const Webhook = ListedWebhook.extend({ secrets: z.array(Secret) });
export const CreatedWebhook = ListedWebhook.extend({
  secret: z.string().describe('whsec_…, shown once, kept sealed'),
});
export const RotatedSecret = z.object({
  secret: z.string().describe('whsec_…, shown once, kept sealed'),
  secrets: z.array(Secret),
});
export const WebhookPage = pageOf(ListedWebhook);

export const Delivery = z.object({
  id: z.uuid().describe('The `webhook-id` of the message'),
  type: WebhookType,
  status: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.number(),
  responseStatus: z.number().nullable(),
  failure: z.string().nullable(),
  createdAt: Moment,
  nextAttemptAt: Moment.nullable(),
  finishedAt: Moment.nullable(),
});
export const DeliveryPage = pageOf(Delivery);

/** The keyset of both lists: an id. */
export const After = z.uuid();
