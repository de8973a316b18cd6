import { createHash } from 'node:crypto';
import { workspaceIds } from '../../demo/people.js';
import { type TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

export const DAY = 86_400_000;
export const { acme } = workspaceIds;
export const door = `/v1/workspaces/${acme}/deletion`;

/** The owner schedules Acme's deletion; its request's id. */
export async function schedule(desk: TestDesk): Promise<string> {
  const [row] = await desk.db.behindTheScenes<{ name: string }>(
    'select name from atelier.workspaces where id = $1',
    [acme],
  );
  const answer = await (await desk.as('owner')).post(door, { confirm: row?.name });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  const [request] = await desk.db.behindTheScenes<{ id: string }>(
    `select id from habeas.requests where tenant_id = $1 and scope = 'workspace' and kind = 'deletion'`,
    [acme],
  );
  return request?.id ?? '';
}

export async function status(desk: TestDesk, id: string): Promise<{ status: string; failure: unknown }> {
  const [row] = await desk.db.behindTheScenes<{ status: string; failure: unknown }>(
    'select status, failure from habeas.requests where id = $1',
    [id],
  );
  return row ?? { status: 'none', failure: null };
}

/** Once the request is in this state; what went wrong instead, if it does not get there. */
export async function reached(desk: TestDesk, id: string, wanted: string): Promise<void> {
  await eventually(async () => (await status(desk, id)).status === wanted, 25_000).catch(
    async (error: unknown) => {
      throw new Error(JSON.stringify(await status(desk, id)), { cause: error });
    },
  );
}

/** Lets what is queued run to its end. */
export const settled = (desk: TestDesk) =>
  eventually(async () => {
    const busy = `select 1 from habeas_jobs.job where state in ('created', 'active', 'retry') limit 1`;
    return (await desk.db.behindTheScenes(busy)).length === 0;
  }, 60_000);

export async function endOfGrace(desk: TestDesk): Promise<void> {
  desk.clock.advance(30 * DAY);
  await desk.sweep();
}

/** Every row of the host app as text, by table. */
export async function rowsOfHost(desk: TestDesk): Promise<Map<string, Set<string>>> {
  const all = new Map<string, Set<string>>();
  for (const name of await tablesOf(desk, 'atelier')) {
    const rows = await desk.db.behindTheScenes<{ row: string }>(
      `select t::text as row from atelier.${name} as t`,
    );
    all.set(name, new Set(rows.map(({ row }) => row)));
  }
  return all;
}

/** sha256 over all rows of other tenants, by table of Habeas. */
export async function neighbours(desk: TestDesk): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of await tablesWithTenant(desk)) {
    // Sweeps note here when they look at a workspace next.
    if (table === 'retentions') continue;
    const key = table === 'workspaces' ? 'id' : 'tenant_id';
    const rows = await desk.db.behindTheScenes<{ row: string }>(
      `select t::text as row from habeas.${table} as t where ${key} <> $1 order by 1`,
      [acme],
    );
    sums[table] = createHash('sha256')
      .update(rows.map(({ row }) => row).join('\n'))
      .digest('hex');
  }
  return sums;
}

/** How many rows of the workspace each table of Habeas has; those without are left out. */
export async function ownRows(desk: TestDesk): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of await tablesWithTenant(desk)) {
    const key = table === 'workspaces' ? 'id' : 'tenant_id';
    const [row] = await desk.db.behindTheScenes<{ n: number }>(
      `select count(*)::int as n from habeas.${table} where ${key} = $1`,
      [acme],
    );
    if (row && row.n > 0) counts[table] = row.n;
  }
  return counts;
}

export const tablesWithTenant = async (desk: Pick<TestDesk, 'db'>): Promise<string[]> => [
  ...(
    await desk.db.behindTheScenes<{ name: string }>(
      `select relname as name from pg_class join pg_attribute on attrelid = pg_class.oid
       where relnamespace = 'habeas'::regnamespace and relkind in ('r', 'p') and attname = 'tenant_id' order by 1`,
    )
  ).map(({ name }) => name),
  'workspaces',
];

const tablesOf = async (desk: TestDesk, schema: string): Promise<string[]> =>
  (
    await desk.db.behindTheScenes<{ name: string }>(
      `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' order by 1`,
      [schema],
    )
  ).map(({ name }) => name);
