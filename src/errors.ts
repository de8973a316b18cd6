/** One problem with one place in the input; never carries the submitted value. */
export interface InputProblem {
  /** Where: a JSON path such as `subject.mail`, or the name of a header or parameter. */
  path: string;
  code: string;
  message: string;
}

/**
 * The one error type of the domain: a stable code that clients may rely on and a sentence that a person
 * can act on. Neither may hold personal data. `http/problems.ts` maps codes to HTTP.
 */
export class DomainError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: {
      errors?: InputProblem[];
      extra?: Record<string, string | number | boolean>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'DomainError';
  }
}

/** `noun.problem`, e.g. `request.not_found`. */
export type ErrorCode = `${string}.${string}`;

/** Missing and foreign ids answer alike, so that nobody learns what exists elsewhere (invariant 8). */
export const notFound = (noun: string): DomainError =>
  new DomainError(`${noun}.not_found`, `There is no such ${noun.replaceAll('_', ' ')}.`);

/** The text of anything thrown, for logs and failure reports of our own making. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
