import { type SubjectRef } from '../database/tenancy.js';
import { type Permission, type Role, type StaffRole } from './roles.js';

/** Somebody who signed in at the host. */
export interface Person {
  type: 'person';
  /** Of the map's kind that signs in; `unknownKind` for somebody the host has no row of, e.g. most staff. */
  subject: SubjectRef;
  /** Whether the host has such a person now; if not, no membership or grant of theirs counts any more. */
  known: boolean;
  /** What the host knows under this sign-in is a row that an erasure has emptied: they read how it ended, no more. */
  erased?: boolean;
  name?: string;
  mail?: string;
  /** Only what the identity provider itself vouches for. */
  emailVerified: boolean;
  /** When the person last proved who they are; not when the token was issued. */
  authTime?: Date;
  staff: readonly StaffRole[];
  /** In the tenancy of this call. */
  roles: readonly Role[];
}

/** A host app, or whatever else an owner made a token for. */
export interface ApiToken {
  type: 'token';
  id: string;
  /** The workspace it was made in, or HOST_TENANT: then it acts in every workspace. */
  tenant: string;
  permissions: readonly Permission[];
  roles: readonly Role[];
}

export interface Anonymous {
  type: 'anonymous';
  roles: readonly [];
}

/** Who is calling. */
export type Principal = Person | ApiToken | Anonymous;

export const anonymous: Anonymous = { type: 'anonymous', roles: [] };

/** The kind of people the host has no row of. No data map can declare it: kinds have no colon. */
export const unknownKind = 'sign-in:unknown';

/** A stable text for a caller, the same for every JWT of one person. */
export const principalId = (principal: Person | ApiToken): string =>
  principal.type === 'token'
    ? `token:${principal.id}`
    : `person:${JSON.stringify([principal.subject.kind, principal.subject.key])}`;
