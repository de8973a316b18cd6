import { literal } from '../datamap/names.js';

/** What Habeas itself keeps about people, as files of a package: Habeas's own collections. */
export interface OwnCollection {
  collection: string;
  title: string;
  purpose: string;
}

export const auditLog: OwnCollection = {
  collection: 'audit_events',
  title: 'Audit log',
  purpose: 'Shows who did what with the data, and when.',
};

export const requestsMade: OwnCollection = {
  collection: 'requests',
  title: 'Your requests',
  purpose: 'Shows what you asked for under data protection law, and what became of it.',
};

/** Disclosures go back to their places, so that the person reads what the log knows of them. */
const eventLine = (where: string) => `
  select json_build_object(
           'id', e.id, 'occurredAt', e.occurred_at, 'action', e.action, 'outcome', e.outcome,
           'actor', json_build_object('type', e.actor_type, 'id', e.actor_id), 'targets', e.targets,
           'context', e.context, 'metadata', e.metadata,
           'disclosures', coalesce((select jsonb_object_agg(d.path, d.value order by d.path)
                                    from habeas.event_disclosures d
                                    where d.tenant_id = e.tenant_id and d.event_id = e.id), '{}'))::text || ','
  from habeas.events e
  where ${where}
  order by e.id, e.tenant_id`;

/** The whole log of the tenant that reads it. */
export const eventsOfTenant = eventLine('e.tenant_id = (select habeas.workspace_id())');

/** The events that are about or by the person who reads, in every tenant or in one; others' disclosures stay hidden. */
export const eventsOfPerson = (tenant: string | null): string =>
  eventLine(tenant === null ? 'true' : `e.tenant_id = ${literal(tenant)}::uuid`);

/** The requests about the person who reads, in every tenant or in one. */
export const requestsOfPerson = (tenant: string | null): string => `
  select json_build_object(
           'id', r.id, 'tenantId', r.tenant_id, 'kind', r.kind, 'scope', r.scope, 'status', r.status, 'outcome', r.outcome,
           'channel', r.channel, 'jurisdiction', r.jurisdiction, 'law', r.law, 'receivedAt', r.received_at,
           'filedAt', r.filed_at, 'dueOn', r.due_on, 'closedAt', r.closed_at)::text || ','
  from habeas.requests r
  where ${tenant === null ? 'true' : `r.tenant_id = ${literal(tenant)}::uuid`}
  order by r.id`;
