import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { z } from 'zod';
import { DomainError, type InputProblem } from '../errors.js';

/** Any uuid that Postgres takes: hosts choose their own, and not all follow RFC 9562. */
export const Uuid = z.guid();

type Issue = Readonly<{
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
  code?: unknown;
  keys?: unknown;
  errors?: unknown;
}>;

/** `input.invalid` with one entry a problem, twenty at the most. */
export const invalidInput = (errors: InputProblem[]): DomainError =>
  new DomainError('input.invalid', 'The input has problems; see errors.', { errors: errors.slice(0, 20) });

/**
 * What a schema found, without what was submitted.
 * @param at where the value stood, e.g. the parameter's name
 */
export function inputProblems(issues: readonly Issue[], submitted: unknown, at?: string): InputProblem[] {
  const texts = textsOf(submitted);
  const problemsOf = (issue: Issue, above: string[]): InputProblem[] => {
    const path = [...above, ...(issue.path ?? []).map(segmentOf)];
    const meant = issue.code === 'invalid_union' ? nearest(issue.errors) : undefined;
    if (meant) return meant.flatMap((inner) => problemsOf(inner, path));
    if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) {
      return issue.keys.map((key) => ({
        path: [...path, segmentOf(String(key))].join('.'),
        code: 'input.unknown_field',
        message: 'There is no such field.',
      }));
    }
    // A schema may word its own messages; one that quotes the input is not passed on.
    const quotes = texts.some((text) => issue.message.includes(text));
    return [
      {
        path: path.join('.'),
        code: `input.${typeof issue.code === 'string' ? issue.code : 'invalid'}`,
        message: quotes ? 'This is not valid here.' : issue.message,
      },
    ];
  };
  return issues.flatMap((issue) => problemsOf(issue, at ? [at] : []));
}

/** Of several shapes that something may have, the one that was most likely meant: it has the fewest problems. */
function nearest(branches: unknown): Issue[] | undefined {
  const shapes = (Array.isArray(branches) ? branches : []) as Issue[][];
  const fitting = shapes.filter(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && !path?.length),
  );
  return fitting.sort((a, b) => a.length - b.length).find((issues) => issues.length > 0);
}

/** A key may itself be personal (a mail as a key): only what looks like a field's name is told. */
function segmentOf(segment: PropertyKey | { key: PropertyKey }): string {
  const key = String(typeof segment === 'object' ? segment.key : segment);
  return /^[A-Za-z0-9_-]{1,40}$/.test(key) ? key : '*';
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.length > 3 ? [value] : [];
  if (typeof value === 'number' && Math.abs(value) > 999) return [String(value)];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(isOrdinary(key) ? [] : [key]),
    ...textsOf(inner),
  ]);
}
const isOrdinary = (key: string) => /^[a-z][A-Za-z]{0,40}$/.test(key) || key.length <= 3;

/** Holds every `@Body({ schema })`, `@Query({ schema })` and `@Param(…, { schema })` against its zod schema. */
@Injectable()
export class InputPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    const result = await this.validate<T>(value, schema);
    if (result.issues) throw invalidInput(inputProblems(result.issues, value, metadata.data));
    return result.value;
  }
}

/** Every path parameter whose name ends in `Id` is a uuid: told before anybody asks the database for it. */
export function checkIds(params: unknown): void {
  const wrong = Object.entries((params ?? {}) as Record<string, unknown>).filter(
    ([name, value]) => name.endsWith('Id') && !Uuid.safeParse(value).success,
  );
  if (wrong.length === 0) return;
  throw invalidInput(
    wrong.map(([path]) => ({ path, code: 'input.invalid_format', message: 'This must be a UUID.' })),
  );
}
