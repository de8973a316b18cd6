/** The words of telling others about an erasure (GDPR Art. 19). */
import { type Subject } from '../../datamap/settings.js';
import { type StepPlan } from '../../deletion/erasure.js';

/** open: not yet; told: it took the message; confirmed: asked again, it has the data no more; done: by a person's word. */
export const taskStatuses = ['open', 'told', 'confirmed', 'done', 'failed'] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export const recipientKinds = ['webhook', 'http', 'manual'] as const;
export type RecipientKind = (typeof recipientKinds)[number];

/** Whom it is about, by the identifiers that the recipient knows them by; sealed, and gone when the task ends. */
export interface Facts {
  people: { kind: string; values: Record<string, string> }[];
  workspace?: { id: string; key: string };
  /** How many of them this phase is through with, so that a repetition begins where it was. */
  through: number;
}

/** What a recipient has to be told of, as its row says. */
export interface RecipientTask {
  id: string;
  tenant: string;
  requestId: string;
  requestTenant: string;
  erasureId: string;
  recipient: string;
  title: string;
  kind: RecipientKind;
  status: TaskStatus;
  factsSealed: Buffer | null;
  openedAt: Date;
  dueAt: Date;
  attempts: number;
  firstAttemptAt: Date | null;
  nextAttemptAt: Date | null;
  failure: string | null;
  toldAt: Date | null;
  endedAt: Date | null;
}

export const taskColumns = `
  id, tenant_id as "tenant", request_id as "requestId", request_tenant_id as "requestTenant", erasure_id as "erasureId",
  recipient, title, kind, status, facts_sealed as "factsSealed", opened_at as "openedAt", due_at as "dueAt", attempts,
  first_attempt_at as "firstAttemptAt", next_attempt_at as "nextAttemptAt", failure, told_at as "toldAt",
  ended_at as "endedAt"`;

/** What went, as far as recipients are concerned. */
export interface Erased {
  requestId: string;
  /** The tenant that runs the request, which answers for what lies in no workspace. */
  tenant: string;
  erasureId: string;
  scope: 'account' | 'person' | 'workspace';
  /** Empty for a workspace. */
  subjects: readonly Subject[];
  /** Host keys of the workspaces that take part. */
  workspaces: readonly string[];
  /** As planned, or as done. */
  steps: readonly (Pick<StepPlan, 'collection' | 'workspace' | 'rule' | 'rows'> & { done?: number })[];
}

export const FACTS = 'recipient.facts';
/** Failed tasks keep whom they are about for so long, so that staff can have them tried again. */
export const KEPT_AFTER_FAILURE = 14 * 86_400_000;

/** Jobs that tell one recipient once. */
export const RECIPIENT_DELIVERY = 'recipient-delivery';
