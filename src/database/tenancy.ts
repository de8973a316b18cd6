/**
 * The tenant that account matters belong to: the host itself (there is one per deployment), so that no row is
 * ever without a tenant. A fixed uuid (version 8, RFC 9562) that no host key can hash to.
 */
export const HOST_TENANT = '00000000-0000-8000-8000-00686f737400';

/** Who acts, as the audit log tells it. A person's id becomes a pseudonym before it is written. */
export type Actor =
  | { type: 'person'; subject: SubjectRef; name?: string }
  | { type: 'staff'; subject: SubjectRef; name?: string }
  | { type: 'token'; id: string }
  | { type: 'job'; id: string }
  | { type: 'link'; id: string };

/** One person of one kind of the data map; `key` is the text of their key there. */
export interface SubjectRef {
  kind: string;
  key: string;
}

/** What a unit of work runs in: whose rows it may see, who is behind it, and what is known of the call. */
export interface Tenancy {
  /** Workspace uuid, or HOST_TENANT. */
  tenant: string;
  actor: Actor;
  context?: CallContext;
}

/** Of the call: `ip` and `userAgent` are personal and become disclosures; the request id does not. */
export interface CallContext {
  requestId?: string;
  ip?: string;
  userAgent?: string;
}

export const systemTenancy = (tenant: string, job: string): Tenancy => ({
  tenant,
  actor: { type: 'job', id: job },
});
