import { Logger } from '@nestjs/common';
import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type SqlRunner } from '../database/unit-of-work.js';

/**
 * When the oldest thing of a kind that is not done was due; null when nothing is left to do. A moment still to come
 * counts as nothing due. Runs under the sweeps' role: ids and due times, of all tenants.
 */
export type OldestDue = (tx: SqlRunner, now: Date) => Promise<Date | null>;

export interface Overdue {
  kind: string;
  /** Null: nothing of this kind is due. */
  oldestDueAt: Date | null;
  /** 0 when nothing is due; null when it could not be read. */
  seconds: number | null;
}

/**
 * How far behind each kind of work is. A retry that waits for its time counts, because the thing was due and is not done;
 * not so where a customer's own server or somebody's mailbox makes it wait, which is nothing that an operator could act on.
 */
export class OverdueWatch {
  private readonly kinds = new Map<string, OldestDue>();
  private readonly log = new Logger('OverdueWatch');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  register(kind: string, oldestDue: OldestDue): void {
    if (this.kinds.has(kind)) throw new Error(`there are two kinds of work called ${kind}`);
    this.kinds.set(kind, oldestDue);
  }

  /** Every kind, in the order of their names. One that cannot be read says so, and the others are told all the same. */
  async look(): Promise<Overdue[]> {
    const now = this.clock.now();
    const found: Overdue[] = [];
    for (const kind of [...this.kinds.keys()].sort()) found.push(await this.lookAt(kind, now));
    return found;
  }

  private async lookAt(kind: string, now: Date): Promise<Overdue> {
    try {
      const oldest = await this.database.asSweep(async (tx) => this.kinds.get(kind)?.(tx, now));
      if (!oldest || oldest > now) return { kind, oldestDueAt: null, seconds: 0 };
      return { kind, oldestDueAt: oldest, seconds: (now.getTime() - oldest.getTime()) / 1000 };
    } catch (error) {
      this.log.warn({ kind, err: error }, 'what is due could not be read');
      return { kind, oldestDueAt: null, seconds: null };
    }
  }
}
