import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DomainError, type InputProblem } from '../errors.js';

/** An answer that is not what was asked for (RFC 9457). Never a submitted value, never a stack. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  /** The request id, which is in the log as well. */
  instance?: string;
  errors?: InputProblem[];
  [extra: string]: unknown;
}

/**
 * Which status a code gets: the first pattern that fits (`*` is any text), else 422. Add a line when a new code
 * does not fit one.
 *
 * 400: it cannot be read as what the schema says. 422: it can, and a rule refuses it. 409: it could be done,
 * but not in the state things are in. 410: it was there once. 503: try again later, nothing is lost.
 */
const statuses: readonly (readonly [pattern: string, status: number])[] = [
  ['auth.required', 401],
  ['auth.*expired*', 401],
  ['auth.*invalid*', 401],
  ['auth.unavailable', 503],
  ['auth.*', 403],
  ['*.forbidden', 403],
  ['*.not_allowed', 403],
  ['object.link_invalid', 403],
  ['input.timeout', 408],
  ['input.too_large', 413],
  ['input.url_too_long', 414],
  ['input.media_type', 415],
  ['input.headers_too_large', 431],
  ['input.*', 400],
  ['object.path_invalid', 400],
  ['route.method_not_allowed', 405],
  ['rate.*', 429],
  ['verification.too_often', 429],
  ['*.too_often', 429],
  ['*.not_found', 404],
  ['*.expired', 410],
  ['object.link_expired', 410],
  ['*.revoked', 410],
  ['*.gone', 410],
  ['workspace.purged', 410],
  ['person.erased', 410],
  ['idempotency.in_progress', 409],
  ['*.duplicate*', 409],
  ['*.conflict*', 409],
  ['*.irreversible', 409],
  ['*.in_progress', 409],
  ['*.not_open', 409],
  ['*.closed', 409],
  ['request.wrong_status', 409],
  ['verification.not_needed', 409],
  ['verification.too_many', 409],
  ['verification.too_late', 409],
  ['*already*', 409],
  ['*.exists', 409],
  ['*transition*', 409],
  ['refusal.not_prepared', 409],
  ['refusal.changed', 409],
  ['deletion.held', 409],
  ['erasure.stopped', 409],
  ['erasure.blocked_by_constraint', 409],
  ['erasure.rows_came_back', 409],
  ['residue.found', 409],
  ['erasure.rows_locked', 503],
  ['erasure.files_left', 503],
  ['residue.unfinished', 503],
  ['retention.too_slow', 503],
  ['erasure.failed', 500],
  ['erasure.refused_by_database', 500],
  ['erasure.workspace_unknown', 500],
  ['*.unavailable', 503],
  ['datamap.drift', 503],
  ['config.*', 500],
  ['database.*', 500],
  ['server.*', 500],
];

const expressions = statuses.map(
  ([pattern, status]) =>
    [new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`), status] as const,
);

/** The HTTP status of a domain code. */
export const statusOf = (code: string): number =>
  expressions.find(([expression]) => expression.test(code))?.[1] ?? 422;

/** What the framework refuses by itself, in our words: its own messages quote what was sent. */
const frameworkRefusals: Readonly<Record<number, readonly [code: `${string}.${string}`, detail: string]>> = {
  400: ['input.malformed', 'The request could not be read.'],
  401: ['auth.required', 'Sign in first, or send a token.'],
  403: ['auth.forbidden', 'You may not do this.'],
  404: ['route.not_found', 'There is nothing at this address.'],
  405: ['route.method_not_allowed', 'This address does not take this method.'],
  408: ['input.timeout', 'The request took too long to arrive.'],
  413: ['input.too_large', 'The request is larger than is accepted here.'],
  414: ['input.url_too_long', 'The address is longer than is accepted here.'],
  415: ['input.media_type', 'Send the body as application/json.'],
  429: ['rate.limited', 'Too many requests. Try again later.'],
  431: ['input.headers_too_large', 'The headers are larger than is accepted here.'],
  503: ['server.unavailable', 'The service cannot answer right now. Try again later.'],
};

/** The framework's refusal of that status as one of ours; undefined when the framework itself failed. */
export function refusal(status: number): DomainError | undefined {
  const known = frameworkRefusals[status] ?? (status >= 400 && status < 500 && frameworkRefusals[400]);
  return known ? new DomainError(...known) : undefined;
}

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: Problem;
  /** Nobody foresaw it: it belongs in the log. */
  unforeseen: boolean;
}

/** What anything thrown is answered with. */
export function problemOf(error: unknown, requestId?: string): ProblemAnswer {
  const known = asDomainError(error);
  const status = known ? statusOf(known.code) : 500;
  const shown = known && status !== 500 ? known : unforeseen(requestId);
  const { errors, extra } = shown.details;
  return {
    status,
    headers: headersFor(shown, status),
    body: {
      ...extra,
      type: `urn:habeas:problem:${shown.code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: shown.message,
      code: shown.code,
      ...(requestId && { instance: requestId }),
      ...(errors?.length && { errors }),
    },
    unforeseen: status >= 500,
  };
}

function asDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error;
  if (error instanceof HttpException) return refusal(error.getStatus());
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const byFastify = typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number';
  return byFastify ? refusal(statusCode) : undefined;
}

const unforeseen = (requestId?: string) =>
  new DomainError(
    'server.error',
    requestId
      ? `Something went wrong on our side. Tell us ${requestId} and we can look it up.`
      : 'Something went wrong on our side.',
  );

function headersFor({ code, details }: DomainError, status: number): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json; charset=utf-8' };
  if (status === 401) {
    headers['www-authenticate'] =
      code === 'auth.required' ? 'Bearer realm="habeas"' : 'Bearer realm="habeas", error="invalid_token"';
  }
  const retryAfter = details.extra?.retryAfter;
  if (typeof retryAfter === 'number') headers['retry-after'] = String(Math.ceil(retryAfter));
  return headers;
}
