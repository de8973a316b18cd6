import { literal } from '../datamap/names.js';

/** Disclosures go back to their places, so that the person reads what the log knows of them. */
const asLine = (where: string) => `
  select json_build_object(
           'id', e.id, 'occurredAt', e.occurred_at, 'action', e.action, 'outcome', e.outcome,
           'actor', json_build_object('type', e.actor_type, 'id', e.actor_id), 'targets', e.targets,
           'context', e.context, 'metadata', e.metadata,
           'disclosures', coalesce((select jsonb_object_agg(d.path, d.value order by d.path)
                                    from habeas.event_disclosures d
                                    where d.tenant_id = e.tenant_id and d.event_id = e.id), '{}'))::text || ','
  from habeas.events e
  where ${where}
  order by e.id`;

/** The whole log of the tenant that reads it. */
export const eventsOfTenant = asLine('e.tenant_id = (select habeas.workspace_id())');

/** The events that are about or by the person who reads, in every tenant or in one; others' disclosures stay hidden. */
export const eventsOfPerson = (tenant: string | null): string =>
  asLine(tenant === null ? 'true' : `e.tenant_id = ${literal(tenant)}::uuid`);
