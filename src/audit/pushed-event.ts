import { type NewEvent } from './events.schema.js';

/** A text of an event with the way to it. */
export interface Text {
  path: string;
  value: string;
}

/**
 * Text that may stay in an event for ever: codes, uuids and moments. Everything else that a host app sends (a mail,
 * a name, a sentence, an address of the net) may be about a person and becomes a disclosure.
 * The same rule stands in SQL as habeas.is_code.
 */
export const isCode = (text: string): boolean =>
  (text.length <= 64 && /^[a-z][a-z0-9]*([_.:/-][a-z0-9]+)*$/.test(text)) ||
  /^[A-Z][A-Z0-9_-]{0,15}$/.test(text) ||
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text) ||
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z)?$/.test(text);

const alwaysPersonal = new Set(['context.ip', 'context.userAgent']);

/** Parts context and metadata into what stays, with null in place of each personal text, and those texts. */
export function partPersonal({ context = {}, metadata = {} }: Pick<NewEvent, 'context' | 'metadata'>): {
  context: Record<string, unknown>;
  metadata: Record<string, unknown>;
  personal: Text[];
} {
  const personal: Text[] = [];
  const clear = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      if (isCode(value) && !alwaysPersonal.has(path)) return value;
      personal.push({ path, value });
      return null;
    }
    if (Array.isArray(value)) return value.map((inner, nth) => clear(inner, `${path}.${nth}`));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, clear(inner, `${path}.${key}`)]),
    );
  };
  return {
    context: clear(context, 'context') as Record<string, unknown>,
    metadata: clear(metadata, 'metadata') as Record<string, unknown>,
    personal,
  };
}
