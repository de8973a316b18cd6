import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Page, pageFrom, readCursor } from '../http/paging.js';
import { putBack } from './disclosures.js';
import { type Event, type EventQuery } from './events.schema.js';
import { AuditLog } from './events.js';
import { Pseudonyms } from './pseudonyms.js';

/** An event's id tells the time it happened, so it is the whole keyset. */
const After = z.uuid();

/** How far the clock that draws ids and the one that stamps rows may differ. */
const SKEW = 5 * 60_000;

type Row = Omit<Event, 'occurredAt' | 'subjects'> & { occurredAt: Date; subjects: string[] };

/** Reads the log of one tenant, newest first, with the disclosures that are left put back in their places. */
@Injectable()
export class EventLog {
  private readonly pseudonyms = new Pseudonyms();

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** @throws DomainError `input.invalid` for a cursor of another list */
  async page(tenancy: Tenancy, query: EventQuery): Promise<Page<Event>> {
    const after = readCursor(After, query.cursor);
    return this.database.within(tenancy, async (tx) => {
      const { sql, values } = await this.statement(tx, query, after);
      const { items, next } = pageFrom(await tx.query<Row>(sql, values), query.limit, ({ id }) => id);
      const events = await this.told(tx, items);
      if (tenancy.actor.type === 'staff') await this.audit.record(tx, 'events.viewed');
      return { items: events, next };
    });
  }

  /** Only the conditions that are asked for, so that the planner takes the index that fits them. */
  private async statement(tx: UnitOfWork, query: EventQuery, after?: string) {
    const values: unknown[] = [tx.tenant];
    const conditions = ['tenant_id = $1'];
    const where = (value: unknown, condition: (parameter: string) => string) => {
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    const { action, actor, target, from, to } = query;
    if (after !== undefined) where(after, ($) => `id < ${$}`);
    if (action?.endsWith('.*')) where(action.slice(0, -1), ($) => `starts_with(action, ${$})`);
    else if (action !== undefined) where(action, ($) => `action = ${$}`);
    if (actor !== undefined)
      where([actor, ...(await this.pseudonyms.withKey(tx, actor))], ($) => `actor_id = any (${$}::text[])`);
    if (target !== undefined) {
      const ids = [target, ...(await this.pseudonyms.withKey(tx, target))];
      where(
        ids.map((id) => JSON.stringify([{ id }])),
        ($) => `targets @> any (${$}::jsonb[])`,
      );
    }
    if (from !== undefined) {
      // As an instant: Postgres knows fewer offsets than ISO 8601 allows (+23:59).
      where(new Date(from), ($) => `occurred_at >= ${$}`);
      where(idBefore(Date.parse(from) - SKEW), ($) => `id >= ${$}`);
    }
    if (to !== undefined) {
      where(new Date(to), ($) => `occurred_at < ${$}`);
      where(idBefore(Date.parse(to) + SKEW), ($) => `id < ${$}`);
    }
    values.push(query.limit + 1);
    const sql = `${select} where ${conditions.join(' and ')} order by id desc limit $${values.length}`;
    return { sql, values };
  }

  private async told(tx: UnitOfWork, rows: readonly Row[]): Promise<Event[]> {
    const disclosures = await tx.query<{ event: string; path: string; value: unknown }>(selectDisclosures, [
      tx.tenant,
      rows.map(({ id }) => id),
    ]);
    return rows.map((row) => {
      const subjects = Object.fromEntries(row.subjects.map((id) => [id, { id }] as const));
      const event = { ...row, occurredAt: row.occurredAt.toISOString(), subjects };
      for (const { event: id, path, value } of disclosures) if (id === row.id) putBack(event, path, value);
      return { ...event, subjects: Object.values(subjects) };
    });
  }
}

const select = `
  select id, occurred_at as "occurredAt", action, outcome,
         jsonb_build_object('type', actor_type, 'id', actor_id) as actor, targets, subjects, context, metadata
  from habeas.events`;

const selectDisclosures = `
  select event_id as "event", path, value from habeas.event_disclosures where tenant_id = $1 and event_id = any ($2)`;

/** The least uuid version 7 of a moment: every id of that millisecond or later is not below it. */
function idBefore(milliseconds: number): string {
  const time = Math.max(0, milliseconds).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-0000-0000-000000000000`;
}
