import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Reader } from './request-view.js';

export interface TimelineEntry {
  at: string;
  action: string;
  /** Who, as far as readers of a timeline may know: what kind of actor it was. */
  by: string;
  outcome: string;
  metadata: Record<string, unknown>;
}

/** Staff's looks and notes are theirs and the auditor's; the person finds them in the log they may ask for. */
const amongStaff = ['request.viewed', 'request.noted'];

const select = `
  select occurred_at as "at", action, actor_type as "by", outcome, metadata
  from habeas.events
  where tenant_id = $1 and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $2::text))
    and action <> all ($3)
    and not context ? 'via'   -- what a host app pushed cannot pass for what Habeas did
  order by id`;

/** What happened to a request, oldest first, from the log of the tenant that `tx` is in. */
export async function readTimeline(
  tx: UnitOfWork,
  requestId: string,
  reader: Reader,
): Promise<TimelineEntry[]> {
  const hidden = reader === 'staff' ? [] : amongStaff;
  const rows = await tx.query<Omit<TimelineEntry, 'at'> & { at: Date }>(select, [
    tx.tenant,
    requestId,
    hidden,
  ]);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
