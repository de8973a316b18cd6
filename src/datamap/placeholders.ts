/** `{{…}}` in what is sent to recipients: found, and filled in by where they stand. */
import { DomainError } from '../errors.js';

const placeholder = /\{\{\s*([A-Za-z][\w-]*\.[A-Za-z_][\w-]*)\s*\}\}/g;

/** What stands in a template, by name, e.g. `subject.mail`. */
export const placeholdersIn = (template: string): string[] =>
  [...template.matchAll(placeholder)].map(([, name]) => name ?? '');

/** Whether braces are left that are no placeholder: somebody meant one. */
export const hasStrayBraces = (template: string): boolean =>
  /\{\{|\}\}/.test(template.replaceAll(placeholder, ''));

/** Every text of a JSON value; keys are not templates. */
export function textsIn(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  if (Array.isArray(json)) return json.flatMap(textsIn);
  return json !== null && typeof json === 'object' ? Object.values(json).flatMap(textsIn) : [];
}

/** Every key of a JSON value, however deep. */
export function keysIn(json: unknown): string[] {
  if (Array.isArray(json)) return json.flatMap(keysIn);
  if (json === null || typeof json !== 'object') return [];
  return Object.entries(json).flatMap(([key, value]) => [key, ...keysIn(value)]);
}

/** Values by the names of placeholders. What is filled in is never looked at again. */
export type Values = Readonly<Record<string, string | undefined>>;

/** @throws DomainError `recipient.value_missing` */
function fill(template: string, values: Values, shown: (value: string) => string): string {
  return template.replaceAll(placeholder, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || value === '')
      throw new DomainError('recipient.value_missing', `There is no value for {{${name}}}.`);
    return shown(value);
  });
}

/**
 * As part of a path or a query: percent-encoded, so that no value adds a segment or a parameter.
 * @throws DomainError `recipient.value_unusable` for one that a URL would read as "this folder" or "the one above"
 */
export function fillUrl(template: string, values: Values): string {
  const url = fill(template, values, encodeURIComponent);
  const [path = ''] = url.split('?');
  if (path.split('/').some((segment) => segment === '.' || segment === '..'))
    throw new DomainError('recipient.value_unusable', 'A value cannot stand in the address.');
  return url;
}

/** @throws DomainError `recipient.value_unusable` for what would begin another header, or is not to be sent in one */
export function fillHeader(template: string, values: Values): string {
  const filled = fill(template, values, (value) => value);
  if (/^[\t\x20-\x7e]*$/.test(filled)) return filled;
  throw new DomainError('recipient.value_unusable', 'A value cannot stand in a header.');
}

/** The JSON value with its texts filled in: built, never pasted, so that no value can end its text. */
export function fillJson(json: unknown, values: Values): unknown {
  if (typeof json === 'string') return fill(json, values, (value) => value);
  if (Array.isArray(json)) return json.map((item) => fillJson(item, values));
  if (json === null || typeof json !== 'object') return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, fillJson(value, values)]));
}
