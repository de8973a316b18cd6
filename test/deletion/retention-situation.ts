import { RetentionRun } from '../../src/deletion/retention/run.js';
import { type TestDesk } from '../support/desk.js';

/** A desk on the demo host app, and what the tests of retention do with it. */
export class RetentionSituation {
  constructor(readonly desk: TestDesk) {}

  sql<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]> {
    return this.desk.db.behindTheScenes<Row>(sql, values);
  }

  async count(from: string, values?: unknown[]): Promise<number> {
    return Number((await this.sql<{ n: string }>(`select count(*) as n from ${from}`, values))[0]?.n);
  }

  /** In force already. */
  async keep(tenant: string, target: string, keep: string | null): Promise<void> {
    await this.sql('insert into habeas.retentions (tenant_id) values ($1) on conflict do nothing', [tenant]);
    await this.sql(
      `insert into habeas.retention_rules (tenant_id, target, is_set, keep) values ($1, $2, true, $3)
       on conflict (tenant_id, target) do update set is_set = true, keep = $3, pending = null, effective_at = null`,
      [tenant, target, keep],
    );
  }

  /** One run over a tenant, as the queue's job does it. */
  run(tenant: string): Promise<void> {
    return this.desk.app.get(RetentionRun).run({ tenant, id: tenant });
  }

  /** Before a batch that has not begun yet: whose turn it is at a lock that is free again, Postgres leaves to chance. */
  comesFirst(change: Promise<unknown>): void {
    const { database } = this.desk.db;
    const asJob = database.asJob.bind(database);
    const come = change.then(
      () => undefined,
      () => undefined,
    );
    database.asJob = async (tenant, job, work, options) => {
      await come;
      return asJob(tenant, job, work, options);
    };
  }

  /** Newest first. */
  async told(tenant: string, action: string): Promise<any[]> {
    const rows = await this.sql<{ metadata: unknown }>(
      'select metadata from habeas.events where tenant_id = $1 and action = $2 order by id desc',
      [tenant, action],
    );
    return rows.map(({ metadata }) => metadata);
  }

  failures(tenant: string): Promise<Record<string, unknown>[]> {
    return this.sql(
      `select collection, code, reason, attempts, next_attempt_at as "nextAttemptAt" from habeas.retention_failures
       where tenant_id = $1 order by collection`,
      [tenant],
    );
  }

  /** Every row of Atelier as text, by table. */
  async rows(): Promise<Map<string, string[]>> {
    const tables = await this.sql<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'atelier' and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    const all = new Map<string, string[]>();
    for (const { name } of tables)
      all.set(
        name,
        (await this.sql<{ row: string }>(`select t::text as row from ${name} as t order by 1`)).map(
          ({ row }) => row,
        ),
      );
    return all;
  }
}

/** What went and what came, by table; empty tables of it are left out. */
export function differences(
  was: ReadonlyMap<string, string[]>,
  is: ReadonlyMap<string, string[]>,
): Record<string, { gone: number; come: number }> {
  const found: Record<string, { gone: number; come: number }> = {};
  for (const [table, rows] of was) {
    const [before, after] = [new Set(rows), new Set(is.get(table))];
    const gone = [...before].filter((row) => !after.has(row)).length;
    const come = [...after].filter((row) => !before.has(row)).length;
    if (gone + come > 0) found[table] = { gone, come };
  }
  return found;
}
