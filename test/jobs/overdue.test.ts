import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { oldestMail } from '../../src/dsar/desk/oldest-due.js';
import { OverdueWatch } from '../../src/jobs/overdue.js';
import { TestDesk } from '../support/desk.js';

const { acme } = workspaceIds;
const MINUTE = 60_000;

const tombstone = (failure: string) => `
  with erasure as (insert into habeas.erasures (tenant_id, job_id, scope, map_hash, created_at)
    values ($1, gen_random_uuid(), 'account', '', $2) returning id)
  insert into habeas.tombstones (tenant_id, erasure_id, ordinal, collection, key, due_at, next_attempt_at, failure)
  select $1, id, 1, 'users', '[]', $2, $2::timestamptz + interval '1 year', '${failure}' from erasure`;

/** Plants one thing of a kind that has been due since `$2`, in tenant `$1`. */
const planted: Record<string, string> = {
  request: `
    insert into habeas.requests (tenant_id, kind, scope, status, channel, zone, received_at, filed_at, due_on, filed_by)
    select $1, 'access', 'account', 'verifying', 'desk', 'UTC', $2, $2, ($2::timestamptz - interval '1 day')::date, 'host'`,
  fulfilment: `
    insert into habeas.requests (tenant_id, kind, scope, status, channel, received_at, filed_at, identity_proven_at, filed_by)
    select $1, 'access', 'account', 'scheduled', 'desk', $2, $2, $2, 'host'`,
  outbox: `
    insert into habeas.outbox (tenant_id, template, recipient_sealed, params_sealed, next_attempt_at, created_at)
    select $1, 'verify', '\\x00', '\\x00', $2, $2::timestamptz - interval '1 year'`,
  webhook: `
    with endpoint as (insert into habeas.webhooks (tenant_id, url, types, created_at)
      values ($1, 'http://127.0.0.1:9/', '{}', $2) returning id)
    insert into habeas.webhook_deliveries (tenant_id, webhook_id, type, body, created_at, due_since, next_attempt_at)
    select $1, id, 'workspace.purged', '{}', $2::timestamptz - interval '1 year', $2, $2 from endpoint`,
  'expired-package': `
    insert into habeas.packages (tenant_id, job_id, object_path, status, manifest, ready_at, expires_at)
    select $1, gen_random_uuid(), 'nowhere', 'ready', '{}', $2::timestamptz - interval '7 days', $2`,
  tombstone: tombstone('23514'),
  'waiting-tombstone': tombstone('tombstone.in_use'),
};

describe('the age of the oldest thing that is due and not done', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    desk.clock.set('2026-11-20T00:00:00Z');
  }, 60_000);
  afterAll(() => desk.close());

  const onMetrics = async (kind: string): Promise<string | undefined> => {
    const { body } = await desk.anybody().get<string>('/metrics');
    return new RegExp(`^habeas_oldest_due_seconds\\{kind="${kind}"\\} (.+)$`, 'm').exec(body)?.[1];
  };

  test.each(Object.keys(planted))(
    '%s: is 0 when nothing is due, and counted from the oldest of any tenant',
    async (kind) => {
      expect(await onMetrics(kind)).toBe('0');
      const ago = (minutes: number) => new Date(desk.clock.now().getTime() - minutes * MINUTE);
      const plant = (tenant: string, since: Date) =>
        desk.db.behindTheScenes(planted[kind] ?? '', [tenant, since]);
      const exact = kind === 'request' ? 0 : 1;
      await plant(acme, ago(10 * exact));
      await plant(HOST_TENANT, ago(1440));
      await plant(acme, ago(-2880));
      expect(Number(await onMetrics(kind))).toBe(86_400);
      const support = await desk.as('support');
      const { body } = await support.get('/v1/desk/overdue');
      expect(body.kinds).toContainEqual({ kind, oldestDueAt: ago(1440).toISOString(), seconds: 86_400 });
    },
  );

  test('support sees which webhook was given up; a privacy lead sees dates only, a member nothing', async () => {
    await desk.db.behindTheScenes(
      `update habeas.webhooks set disabled_at = $1, disabled_because = 'webhook.gone' where tenant_id = $2`,
      [desk.clock.now(), HOST_TENANT],
    );
    const seen = async (person: 'support' | 'privacy-lead') =>
      (await (await desk.as(person)).get('/v1/desk/overdue')).body;
    expect((await seen('support')).suspendedWebhooks).toMatchObject([{ because: 'webhook.gone' }]);
    const dates = await seen('privacy-lead');
    expect(dates).toEqual({ kinds: expect.any(Array), stuckRows: [], suspendedWebhooks: [] });
    expect(dates.kinds.length).toBeGreaterThan(5);
    expect((await (await desk.as('member')).get('/v1/desk/overdue')).status).toBe(403);
  });

  test('a kind that cannot be read is said to be, and hides none of the others', async () => {
    desk.app.get(OverdueWatch).register('broken', (tx) => tx.query('select 1 / 0').then(() => null));
    expect(await onMetrics('broken')).toBe('Nan');
    expect(await onMetrics('outbox')).toBe('86400');
    const { body } = await desk.anybody().get<string>('/metrics');
    expect(body).toContain('habeas_overdue_unread{kind="broken"} 1');
    expect(body).toContain('habeas_overdue_unread{kind="outbox"} 0');
  });

  test('the look at each kind reads one end of an index, however much is waiting', async () => {
    const plans = async (sql: string) =>
      (await desk.db.behindTheScenes<{ 'QUERY PLAN': string }>(`explain ${sql}`))
        .map((line) => line['QUERY PLAN'])
        .join('\n');
    await desk.db.behindTheScenes(`
      insert into habeas.outbox (tenant_id, template, status, next_attempt_at, created_at, failure)
      select '${acme}', 'verify', case when n % 2 = 0 then 'sent' else 'pending' end, now(), now(),
             case when n % 3 = 0 then 'mail.deferred' when n % 3 = 1 then 'mail.server_unreachable' end
        from generate_series(1, 20000) n`);
    await desk.db.behindTheScenes('analyze habeas.outbox');
    const plan = await plans(oldestMail.replaceAll('$1', 'now()'));
    expect(plan).toMatch(/Index Only Scan using outbox_waiting/);
    expect(plan).toMatch(/Index Only Scan using outbox_due/);
    expect(plan).not.toMatch(/Seq Scan|Filter/);
  });
});
