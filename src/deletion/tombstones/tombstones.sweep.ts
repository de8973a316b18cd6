import { Logger } from '@nestjs/common';
import { type AuditLog } from '../../audit/events.js';
import { type Clock } from '../../clock.js';
import { type Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { settingsStatement } from '../../datamap/settings.js';
import { type ErasureJob } from '../erasure.js';
import { collectionOf } from '../erasure-plan.js';
import { StepRows } from '../step/rows.js';
import { type Graves } from './holds.js';
import { stillBuried, sweepTombstones } from './sql.js';

const BATCH = 500;
const RETRY_HOURS = 6;
const FIRST = '00000000-0000-0000-0000-000000000000';

interface Due {
  tenant: string;
  erasure: string;
}

interface Tombstone {
  id: string;
  collection: string;
  ordinal: number;
  key: unknown;
  workspace: string | null;
}

// Ids and times are all that the sweep's role sees; each erasure is then worked on in its own tenant.
const findDue = `
  select distinct erasure_id as "erasure", tenant_id as "tenant" from habeas.tombstones
  where swept_at is null and next_attempt_at <= $1 and erasure_id > $2 order by 1 limit 200`;

// Due is asked again, in the transaction that acts (invariant 4).
const lockDue = `
  select id, collection, ordinal, key,
         (select s.workspace from habeas.erasure_steps s where s.erasure_id = t.erasure_id and s.ordinal = t.ordinal)
  from habeas.tombstones t
  where erasure_id = $1 and swept_at is null and due_at <= $2 and next_attempt_at <= $2
    and (collection, ordinal) = (
      select collection, ordinal from habeas.tombstones
      where erasure_id = $1 and swept_at is null and due_at <= $2 and next_attempt_at <= $2 order by ordinal, id limit 1)
  order by id limit $3 for update skip locked`;

const close =
  'update habeas.tombstones set swept_at = $2, failure = null, key = to_jsonb(id) where id = any ($1::uuid[])';

const putOff = `
  update habeas.tombstones set attempts = attempts + 1, failure = $2, next_attempt_at = $3
  where id = any ($1::uuid[]) and swept_at is null`;

/** `filled`: the application has written into the row again. `in_use`: somebody else's row hangs on it. */
type Reason = 'tombstone.filled' | 'tombstone.in_use';

export interface TombstonesSweepOptions {
  /** Inside the transaction that deletes: of these keys those whose rows have to stay for now (a hold). */
  keeps?: (tx: UnitOfWork, graves: Graves, keys: readonly unknown[]) => Promise<readonly unknown[]>;
  /** Inside the transaction that sweeps the last one of an erasure; for the final certificate. */
  onSwept?: (tx: UnitOfWork, erasureId: string) => Promise<void>;
}

/** Deletes the rows of tombstones whose backup horizon has passed. One that cannot go fails alone and is tried again. */
export class TombstonesSweep {
  private readonly log = new Logger('TombstonesSweep');

  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly options: TombstonesSweepOptions = {},
  ) {}

  /** One round over everything that is due. @returns how many tombstones are gone */
  async run(): Promise<number> {
    let swept = 0;
    for (let after = FIRST; ;) {
      const page = await this.database.asSweep((tx) => tx.query<Due>(findDue, [this.clock.now(), after]));
      for (const due of page)
        try {
          swept += await this.erasure(due);
        } catch (error) {
          // The driver's error holds the keys of rows as parameters.
          this.log.warn({ erasureId: due.erasure, code: codeOf(error) }, 'not swept; tried again');
        }
      const last = page.at(-1);
      if (!last) return swept;
      after = last.erasure;
    }
  }

  private async erasure(due: Due): Promise<number> {
    let swept = 0;
    for (let size = BATCH; ;) {
      try {
        const batch = await this.batch(due, size);
        if (batch === undefined) return swept;
        swept += batch;
      } catch (error) {
        // A batch with one poisoned row is taken apart; alone, the row is put off.
        if (size > 1) size = 1;
        else {
          await this.putOffFirst(due, error);
          size = BATCH;
        }
      }
    }
  }

  /** @returns how many were swept; undefined where nothing is due any more */
  private batch({ tenant, erasure }: Due, size: number): Promise<number | undefined> {
    return this.database.asJob(tenant, 'tombstones', async (tx) => {
      const now = this.clock.now();
      const found = await tx.query<Tombstone>(lockDue, [erasure, now, size]);
      const [first] = found;
      if (!first) return undefined;
      const due = await this.withoutHeld(tx, first, found);
      if (due.length === 0) return 0;
      const left = await this.sweep(tx, erasure, first, due);
      const gone = due.filter(({ key }) => !left.has(JSON.stringify(key)));
      await tx.query(close, [gone.map(({ id }) => id), now]);
      for (const [why, those] of Map.groupBy(due, ({ key }) => left.get(JSON.stringify(key))))
        if (why !== undefined) await tx.query(putOff, [those.map(({ id }) => id), why, this.later()]);
      if (gone.length > 0) await this.tell(tx, erasure, gone.length);
      return gone.length;
    });
  }

  /** Those that nothing keeps; the others are looked at again later. */
  private async withoutHeld(tx: UnitOfWork, first: Tombstone, due: Tombstone[]): Promise<Tombstone[]> {
    const graves = { collection: collectionOf(this.host, first.collection), workspace: first.workspace };
    const keys = due.map(({ key }) => key);
    const kept = new Set(await this.options.keeps?.(tx, graves, keys));
    const held = due.filter(({ key }) => kept.has(key)).map(({ id }) => id);
    if (held.length > 0) await tx.query(putOff, [held, 'tombstone.held', this.later()]);
    return due.filter(({ key }) => !kept.has(key));
  }

  /** Keys of the rows that are still there, and why. */
  private async sweep(
    tx: UnitOfWork,
    erasure: string,
    { collection }: Tombstone,
    due: Tombstone[],
  ): Promise<Map<string, Reason>> {
    // Whom it was about is forgotten by now: a row that still leads to anybody is not ours to delete.
    const job: ErasureJob = {
      id: erasure,
      tenant: tx.tenant,
      jobId: erasure,
      scope: 'person',
      subjects: [],
      workspaces: [],
      pseudonyms: {},
    };
    const rows = new StepRows(this.host.current(), job, collectionOf(this.host, collection), {
      subjects: [],
    });
    const keys = due.map(({ key }) => key);
    const settings = settingsStatement({ subjects: [] });
    await tx.query(settings.sql, settings.values);
    await tx.query(`select set_config('lock_timeout', '250ms', true)`);
    const there = stillBuried(rows, keys);
    return tx.asHost(async (db) => {
      await sweepTombstones(db, rows, keys);
      await db.query('set constraints all immediate');
      const left = await db.query<{ key: unknown; filled: boolean }>(there.sql, there.values);
      return new Map(
        left.map(({ key, filled }) => [
          JSON.stringify(key),
          filled ? 'tombstone.filled' : 'tombstone.in_use',
        ]),
      );
    });
  }

  private async putOffFirst({ tenant, erasure }: Due, error: unknown): Promise<void> {
    await this.database.asJob(tenant, 'tombstones', async (tx) => {
      const [first] = await tx.query<Tombstone>(lockDue, [erasure, this.clock.now(), 1]);
      if (first) await tx.query(putOff, [[first.id], reasonOf(error), this.later()]);
    });
  }

  private later(): Date {
    return new Date(this.clock.now().getTime() + RETRY_HOURS * 3_600_000);
  }

  private async tell(tx: UnitOfWork, erasure: string, rows: number): Promise<void> {
    await this.audit.record(tx, 'tombstones.swept', {
      targets: [{ type: 'erasure', id: erasure }],
      metadata: { rows },
    });
    const open = await tx.one(
      'select 1 from habeas.tombstones where erasure_id = $1 and swept_at is null limit 1',
      [erasure],
    );
    if (!open) await this.options.onSwept?.(tx, erasure);
  }
}

/** A foreign key with NO ACTION or RESTRICT says so itself: foreign_key_violation, restrict_violation. */
const keptByKey = new Set(['23503', '23001']);
const reasonOf = (error: unknown): string =>
  keptByKey.has(codeOf(error)) ? 'tombstone.in_use' : codeOf(error);

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'tombstone.failed';
};
