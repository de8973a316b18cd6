import { randomUUID } from 'node:crypto';
import { HOST_TENANT, type Tenancy } from '../../src/database/tenancy.js';
import { WorkspaceDeletionFulfilment } from '../../src/dsar/workspace-deletion/fulfilment.js';
import { WorkspaceDeletions } from '../../src/dsar/workspace-deletion/deletions.js';
import { DomainError } from '../../src/errors.js';
import { type ApiToken } from '../../src/identity/principal.js';
import { type TestDesk } from '../support/desk.js';

const ROWS = 3;
const host: ApiToken = {
  type: 'token',
  id: randomUUID(),
  tenant: HOST_TENANT,
  permissions: ['requests:write'],
  roles: ['requests:write'],
};
const tenancyOf = (tenant: string): Tenancy => ({ tenant, actor: { type: 'token', id: host.id } });

/** What a race left behind, as the tables say. */
export interface Aftermath {
  /** Of the cancellation: undefined for a success, else its code. */
  refused: string | undefined;
  status: string;
  rows: number;
  /** The workspace's own row at the host. */
  known: number;
  begun: boolean;
  irreversible: boolean;
}

/** Workspaces with some rows each, all of which the host wants purged at the same moment. @returns their ids */
export async function dueWorkspaces(desk: TestDesk, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const arrange = (sql: string) => desk.db.behindTheScenes(sql, [ids]);
  await arrange(`insert into atelier.workspaces (id, name, slug, plan_code, settings, created_at)
                 select id::uuid, 'Racer', id, 'team', '{}', now() from unnest($1::text[]) as id`);
  await arrange(`insert into atelier.customers (id, workspace_id, email, created_at)
                 select gen_random_uuid(), id::uuid, gen_random_uuid() || '@racer.example', now()
                 from unnest($1::text[]) as id, generate_series(1, ${ROWS})`);
  await arrange(
    'insert into habeas.workspaces (id, host_key) select id::uuid, id from unnest($1::text[]) as id',
  );
  await arrange(
    `insert into habeas.retentions (tenant_id, subscription_ended) select id::uuid, 'delete' from unnest($1::text[]) as id`,
  );
  const deletions = desk.app.get(WorkspaceDeletions);
  for (const id of ids) await deletions.schedule(tenancyOf(id), host, { reason: 'subscription_ended' });
  return ids;
}

/**
 * One race: a cancellation against one or two workers that pick the purge up, on connections of their own.
 * @param trips to the database that the cancellation makes first, so that its delay keeps the database's own pace;
 * negative: it starts before the workers, Infinity: when they are done
 */
export async function race(
  desk: TestDesk,
  tenant: string,
  trips: number,
  workers: 1 | 2,
): Promise<Aftermath> {
  const fulfilment = desk.app.get(WorkspaceDeletionFulfilment);
  const deletions = desk.app.get(WorkspaceDeletions);
  const [request] = await desk.db.behindTheScenes<{ id: string }>(
    `select id from habeas.requests where tenant_id = $1 and kind = 'deletion'`,
    [tenant],
  );
  const id = request?.id ?? '';
  const purge = () => fulfilment.run({ tenant, id });
  const cancel = () =>
    deletions.cancel(tenancyOf(tenant), host).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof DomainError) return error.code;
        throw error;
      },
    );
  const late = async () => {
    for (let trip = 0; trip < trips; trip++) await desk.db.database.queueSql('select 1');
    return cancel();
  };
  let refused: string | undefined;
  if (trips === Infinity) {
    await purge();
    refused = await cancel();
  } else if (trips < 0) {
    const first = cancel();
    await Promise.all([first, ...Array.from({ length: workers }, purge)]);
    refused = await first;
  } else [, refused] = await Promise.all([Promise.all(Array.from({ length: workers }, purge)), late()]);
  // Whoever comes afterwards finds the matter settled.
  await purge();
  return { refused, ...(await aftermath(desk, tenant, id)) };
}

async function aftermath(desk: TestDesk, tenant: string, id: string): Promise<Omit<Aftermath, 'refused'>> {
  const [row] = await desk.db.behindTheScenes<Omit<Aftermath, 'refused'>>(
    `select r.status,
            (select count(*)::int from atelier.customers where workspace_id = $1) as rows,
            (select count(*)::int from atelier.workspaces where id = $1) as known,
            exists (select from habeas.events where tenant_id = $1 and action = 'request.started') as begun,
            exists (select from habeas.erasures where job_id = $2 and irreversible_at is not null) as irreversible
     from habeas.requests r where r.id = $2`,
    [tenant, id],
  );
  if (!row) throw new Error('the request is gone');
  return row;
}

/** Nothing was touched. */
export const untouched = { status: 'withdrawn', rows: ROWS, known: 1, irreversible: false };
/** Everything is gone. */
export const purged = { status: 'fulfilled', rows: 0, known: 0, irreversible: true };

// From before the workers look to long after they began; most lie where the first batch may commit.
const delays = [-1, 0, 1, 2, 4, 8, 16, 32, 64, 100, 150, 220, 320, 450, 650, 900, 1300, Infinity];
export const delayOf = (n: number): number => delays[n % delays.length] ?? 0;

export interface Tally {
  cancelled: number;
  /** Of those: a worker had begun already. */
  cancelledBegun: number;
  purged: number;
  wrong: (Aftermath & { trips: number })[];
}

/** Races every workspace, several at a time, and counts who won; `wrong` are those that ended as both or neither. */
export async function raceAll(desk: TestDesk, workspaces: readonly string[], lanes = 4): Promise<Tally> {
  const tally: Tally = { cancelled: 0, cancelledBegun: 0, purged: 0, wrong: [] };
  const waiting = workspaces.entries();
  const lane = async () => {
    for (const [n, workspace] of waiting) {
      const trips = delayOf(n);
      const found = await race(desk, workspace, trips, n % 3 === 0 ? 2 : 1);
      const { refused, begun, ...rest } = found;
      const expected = refused === undefined ? untouched : purged;
      const known = refused === undefined || refused === 'request.irreversible';
      if (!known || JSON.stringify(sorted(rest)) !== JSON.stringify(sorted(expected)))
        tally.wrong.push({ ...found, trips });
      else if (refused === undefined) {
        tally.cancelled += 1;
        if (begun) tally.cancelledBegun += 1;
      } else tally.purged += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return tally;
}

const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
