import { type SubjectRef } from '../database/tenancy.js';
import { type RequestKind } from './law/law.js';
import { type Outcome, type RequestStatus } from './request-lifecycle.js';

export type Scope = 'account' | 'person' | 'workspace';
export type Channel = 'settings' | 'workspace' | 'token' | 'desk';
export type IdentityMethod = 'session' | 'link' | 'manual' | 'authority';

/** Where a request comes from, in staff's own words mostly, which only they may read; sealed. */
export interface FilingDetails {
  /** How a person wrote in: letter, phone, … */
  writtenBy?: string;
  requester?: string;
  mandate?: string;
  /** What was seen as a proof of identity; no copy of it. */
  seen?: string;
  /** Nobody asked: the account ends with this workspace, by its name. */
  endedWith?: string;
}

/** What went wrong last: a code and our own words, no personal value. */
export interface Failure {
  code: string;
  message: string;
}

/** One legal matter, as its row says. Dates without a time are dates in the jurisdiction's `zone`. */
export interface Request {
  id: string;
  /** HOST_TENANT for scope account, else the workspace. */
  tenant: string;
  kind: RequestKind;
  scope: Scope;
  status: RequestStatus;
  outcome: Outcome | null;
  channel: Channel;
  jurisdiction: string | null;
  law: string | null;
  zone: string;
  clock: { source?: string; text?: string; verified?: boolean; decidedBy?: string };
  receivedAt: Date;
  filedAt: Date;
  /** null: contractual, no statutory clock. */
  dueOn: string | null;
  originalDueOn: string | null;
  acknowledgeBy: string | null;
  identityMethod: IdentityMethod | null;
  identityProvenAt: Date | null;
  language: string | null;
  mailSealed: Buffer | null;
  detailsSealed: Buffer | null;
  attempts: number;
  nextAttemptAt: Date | null;
  failure: Failure | null;
  closedAt: Date | null;
  contactWipedAt: Date | null;
  /** false: the host's tables could not be read at filing, so which workspaces are touched is found out before the run. */
  partsOpened: boolean;
  /** Of a deletion: how long the person may change their mind, as filed (ISO 8601); null: COOLING_OFF. */
  coolingOff: string | null;
  /** Of a proven deletion: not before. */
  runAfter: Date | null;
  /** The person does not wait for their package to be fetched. */
  waivesAccessLock: boolean;
}

/** Whose data, and how that is known; frozen when identity is proven. */
export interface RequestSubject extends SubjectRef {
  via: 'session' | 'mail' | 'email_verified' | 'authority';
}

export const requestColumns = `
  id, tenant_id as "tenant", kind, scope, status, outcome, channel, jurisdiction, law, zone, clock,
  received_at as "receivedAt", filed_at as "filedAt", due_on::text as "dueOn", original_due_on::text as "originalDueOn",
  acknowledge_by::text as "acknowledgeBy", identity_method as "identityMethod", identity_proven_at as "identityProvenAt",
  language, mail_sealed as "mailSealed", details_sealed as "detailsSealed", attempts, next_attempt_at as "nextAttemptAt",
  failure, closed_at as "closedAt", contact_wiped_at as "contactWipedAt", parts_opened as "partsOpened",
  cooling_off as "coolingOff", run_after as "runAfter", waives_access_lock as "waivesAccessLock"`;
