import { z } from 'zod';

/** What can be told, and when it is. A type that is not here is not sent. */
export const webhookTypes = {
  'request.filed': 'A request was filed that concerns this workspace',
  'request.fulfilled': 'It was fulfilled',
  'request.refused': 'It was refused',
  'request.withdrawn': 'It was withdrawn',
  'request.failed': 'Fulfilling it failed; staff look after it',
  'workspace.deletion_scheduled': 'The workspace will be deleted; show it, go read-only',
  'workspace.deletion_cancelled': 'The workspace will stay after all',
  'workspace.purged': 'Everything of the workspace is gone',
} as const;

export type WebhookType = keyof typeof webhookTypes;
export const WebhookType = z.enum(Object.keys(webhookTypes) as [WebhookType, ...WebhookType[]]);
export const isWebhookType = (text: string): text is WebhookType => Object.hasOwn(webhookTypes, text);

/** Of what happened: ids and codes only, never a person's data. */
export type WebhookData = Record<string, string | number | boolean | null | readonly string[]>;
