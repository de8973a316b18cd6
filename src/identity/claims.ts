import { type JWTPayload } from 'jose';
import { DomainError } from '../errors.js';
import { type StaffRole, staffRoles } from './roles.js';

/** What a verified token says about a person, besides who it is. */
export interface Claims {
  name?: string;
  mail?: string;
  emailVerified: boolean;
  authTime?: Date;
  staff: StaffRole[];
}

export function readClaims(payload: JWTPayload, staffClaim?: string): Claims {
  return {
    name: text(payload.name),
    mail: text(payload.email),
    // Only the provider's own word at the top level: what lies in user_metadata, people can write themselves.
    emailVerified: payload.email_verified === true,
    authTime: authTimeOf(payload),
    staff: staffClaim ? staffIn(claimAt(payload, staffClaim)) : [],
  };
}

/**
 * A claim by its name, which may hold dots (`https://host.example/roles`), else by a way into objects
 * (`app_metadata.roles`).
 */
export function claimAt(payload: JWTPayload, way: string): unknown {
  if (Object.hasOwn(payload, way)) return payload[way];
  let value: unknown = payload;
  for (const step of way.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/**
 * Staff roles must come from where people cannot write: Supabase lets everybody edit their own user_metadata.
 * @throws DomainError `config.invalid`
 */
export function checkStaffClaim(way?: string): void {
  if (way !== undefined && /^(raw_)?user_(meta_?data)(\.|$)/i.test(way))
    throw new DomainError(
      'config.invalid',
      'AUTH_STAFF_CLAIM must not be in user_metadata: users can write it themselves. Use app_metadata.',
    );
}

/** A string (one role, or several set apart by spaces or commas) or an array of strings; the rest is ignored. */
function staffIn(value: unknown): StaffRole[] {
  const words = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : [];
  return staffRoles.filter((role) => words.includes(role));
}

/** `auth_time`, else the newest `amr` time; never `iat`, which a refresh moves without anybody signing in. */
function authTimeOf(payload: JWTPayload): Date | undefined {
  const methods: unknown[] = Array.isArray(payload.amr) ? payload.amr : [];
  const times = methods.map((method) => (isRecord(method) ? seconds(method.timestamp) : undefined));
  const newest = times.reduce<number | undefined>(
    (a, b) => (a === undefined || (b ?? 0) > a ? b : a),
    undefined,
  );
  const time = seconds(payload.auth_time) ?? newest;
  return time === undefined ? undefined : new Date(time * 1000);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
// Up to the last second that a Date can hold and print.
const seconds = (value: unknown) =>
  typeof value === 'number' && value > 0 && value < 253_402_300_800 ? value : undefined;
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
