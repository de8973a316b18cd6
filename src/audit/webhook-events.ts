import { type EndpointChanges } from '../webhooks/endpoint-changes.js';
import { isWebhookType, type WebhookData } from '../webhooks/types.js';
import { type Webhooks } from '../webhooks/webhooks.js';
import { type AuditLog, type RecordedEvent } from './events.js';

/** Of an event's metadata what may leave the house: codes. */
const codes = ['kind', 'scope', 'outcome', 'grounds', 'code'];

/**
 * Connects the log with the webhooks: what becomes of an endpoint is an event, and events of requests are told to
 * endpoints, with ids and codes only. Other announcements are made by who knows more than the log.
 */
export function connectWebhooks(audit: AuditLog, webhooks: Webhooks, changes: EndpointChanges): void {
  changes.onChange(async (tx, { action, webhookId, outcome, metadata }) => {
    await audit.record(tx, action, {
      targets: [{ type: 'webhook', id: webhookId }],
      ...(outcome && { outcome }),
      ...(metadata && { metadata }),
    });
  });
  audit.onRecorded(async (tx, event) => {
    if (event.action.startsWith('request.') && isWebhookType(event.action))
      await webhooks.announce(tx, { type: event.action, data: dataOf(event) });
  });
}

function dataOf({ targets = [], metadata = {} }: RecordedEvent): WebhookData {
  const request = targets.find(({ type }) => type === 'request');
  const told = codes.map((name) => [name, metadata[name]] as const);
  return {
    requestId: request?.id ?? null,
    ...Object.fromEntries(told.flatMap(([name, value]) => (isCode(value) ? [[name, value]] : []))),
  };
}

const isCode = (value: unknown): value is string | string[] =>
  typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
