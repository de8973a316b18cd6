import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { SweepRegistry } from '../../src/jobs/sweep-registry.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const DAY = 86_400_000;
const UNREADABLE = `'\\x00ff'::bytea`;

/** A row that cannot be worked on, planted in the database; the others of its sweep are done nevertheless. */
describe('one poisoned row never stops the others: it fails alone, is tried again, and is on the desk', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ limits: [] });
  }, 60_000);
  afterAll(() => desk.close());

  const written = async (mail: string): Promise<string> => {
    const support = await desk.as('support');
    const { status, body } = await support.post('/v1/desk/requests', {
      mail,
      channel: 'letter',
      jurisdiction: 'DE',
    });
    expect(status).toBe(201);
    return (body as { id: string }).id;
  };
  const inOrder = async (...mails: string[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const mail of mails) ids.push(await written(mail));
    return ids.sort();
  };
  /** Of these sweeps, what each failed with. */
  const round = async () =>
    new Map((await desk.app.get(SweepRegistry).runAll()).map(({ name, error }) => [name, error]));
  const stuck = async (): Promise<any[]> =>
    (await (await desk.as('support')).get('/v1/desk/overdue')).body.stuckRows as any[];
  const row = async <T>(sql: string, id: string): Promise<T | undefined> =>
    (await desk.db.behindTheScenes<T & Record<string, unknown>>(sql, [id]))[0];

  test('of the reminders to prove one’s identity', async () => {
    const ids = await inOrder('a@poison.example', 'b@poison.example', 'c@poison.example');
    const [poisoned, ...others] = ids as [string, string, string];
    await desk.db.behindTheScenes(`update habeas.requests set mail_sealed = ${UNREADABLE} where id = $1`, [
      poisoned,
    ]);
    desk.clock.advance(DAY + 1000);
    expect((await round()).get('identity')).toBeInstanceOf(AggregateError);
    const links = (id: string) =>
      row<{ n: number }>(
        'select count(*)::int as n from habeas.request_verifications where request_id = $1',
        id,
      );
    for (const id of others) expect(await links(id)).toEqual({ n: 2 });
    expect(await links(poisoned)).toEqual({ n: 1 });
    await round();
    expect(await stuck()).toEqual([
      {
        work: 'identity',
        workspaceId: expect.any(String),
        id: poisoned,
        code: 'sealing.unreadable',
        times: 2,
        since: desk.clock.now().toISOString(),
      },
    ]);
    // Mended, the next round passes it, and it is off the desk.
    await desk.db.behindTheScenes(
      'update habeas.requests set mail_sealed = (select mail_sealed from habeas.requests where id = $2) where id = $1',
      [poisoned, others[0]],
    );
    expect((await round()).get('identity')).toBeUndefined();
    expect(await stuck()).toEqual([]);
    expect(await links(poisoned)).toEqual({ n: 2 });
  });

  test('of what is to be forgotten, nor does it keep what is older from being removed', async () => {
    const ids = await inOrder('d@poison.example', 'e@poison.example', 'f@poison.example');
    const [poisoned, old, other] = ids as [string, string, string];
    await desk.db.behindTheScenes(
      `update habeas.requests set status = 'withdrawn', closed_at = $2 where id = any ($1)`,
      [ids, new Date(desk.clock.now().getTime() - 31 * DAY)],
    );
    await desk.db.behindTheScenes(
      `update habeas.requests set closed_at = closed_at - interval '4 years', contact_wiped_at = closed_at where id = $1`,
      [old],
    );
    await desk.db.behindTheScenes(`
      create function public.poison() returns trigger language plpgsql as $$ begin
        if old.id = '${poisoned}' then raise exception 'poisoned' using errcode = 'XX001'; end if; return new; end $$;
      create trigger poison before update on habeas.requests for each row execute function public.poison()`);
    expect((await round()).get('forgetting')).toBeInstanceOf(AggregateError);
    const wiped = (id: string) =>
      row<{ wiped: boolean }>(
        'select contact_wiped_at is not null as wiped from habeas.requests where id = $1',
        id,
      );
    expect([await wiped(poisoned), await wiped(other), await wiped(old)]).toEqual([
      { wiped: false },
      { wiped: true },
      undefined,
    ]);
    expect(await stuck()).toMatchObject([{ work: 'forgetting', id: poisoned, code: 'XX001', times: 1 }]);
    await desk.db.behindTheScenes('drop function public.poison() cascade');
    await round();
    expect([await wiped(poisoned), await stuck()]).toEqual([{ wiped: true }, []]);
  });

  test('of the outbox: what cannot be opened waits, the other letters go', async () => {
    await desk.db.behindTheScenes(`
      create function public.poison() returns trigger language plpgsql as $$ begin
        new.params_sealed := case when new.dedupe_key is distinct from 'sound' and not exists (
          select from habeas.outbox where params_sealed = ${UNREADABLE}) then ${UNREADABLE} else new.params_sealed end;
        return new; end $$;
      create trigger poison before insert on habeas.outbox for each row execute function public.poison()`);
    const first = await written('g@poison.example');
    await written('h@poison.example');
    await desk.db.behindTheScenes('drop function public.poison() cascade');
    await eventually(async () =>
      (await desk.mails()).some(({ to }) => to?.some(({ address }) => address === 'h@poison.example')),
    );
    const its = () =>
      row<{ status: string; failure: string | null }>(
        `select status, failure from habeas.outbox where about = $1`,
        first,
      );
    await eventually(async () => (await its())?.failure === 'sealing.unreadable');
    expect(await its()).toEqual({ status: 'pending', failure: 'sealing.unreadable' });
  });

  test('of the sweep over the outbox: a letter whose job cannot be written keeps no other from being queued', async () => {
    const [inHost, elsewhere] = [HOST_TENANT, workspaceIds.acme];
    const plant = async (tenant: string): Promise<string> => {
      const [mail] = await desk.db.behindTheScenes<{ id: string }>(
        `insert into habeas.outbox (tenant_id, template, recipient_sealed, params_sealed, next_attempt_at, created_at)
         values ($1, 'verify', ${UNREADABLE}, ${UNREADABLE}, $2, $2) returning id`,
        [tenant, desk.clock.now()],
      );
      return mail?.id ?? '';
    };
    const [first, poisoned, last] = [await plant(inHost), await plant(inHost), await plant(elsewhere)];
    await desk.db.behindTheScenes(`
      create function public.poison() returns trigger language plpgsql as $$ begin
        if new.singleton_key = '${inHost}/${poisoned}'
        then raise exception 'poisoned' using errcode = 'XX001'; end if; return new; end $$;
      create trigger poison before insert on habeas_jobs.job for each row execute function public.poison()`);
    expect((await round()).get('outbox')).toBeInstanceOf(AggregateError);
    const tried = async (id: string) =>
      ((await row<{ attempts: number }>('select attempts from habeas.outbox where id = $1', id))?.attempts ??
        0) > 0;
    for (const id of [first, last]) await eventually(() => tried(id));
    expect(await tried(poisoned)).toBe(false);
    expect(await stuck()).toContainEqual(
      expect.objectContaining({ work: 'outbox', id: poisoned, code: 'XX001', times: 1 }),
    );
    await desk.db.behindTheScenes('drop function public.poison() cascade');
    expect((await round()).get('outbox')).toBeUndefined();
    await eventually(() => tried(poisoned));
    expect((await stuck()).filter(({ work }) => work === 'outbox')).toEqual([]);
  });

  test('of the requests that are due: one that cannot begin waits, the other is fulfilled', async () => {
    const [member, admin] = [await desk.as('member'), await desk.as('admin')];
    await desk.db.behindTheScenes(`
      create function public.poison() returns trigger language plpgsql as $$ begin
        if exists (select from habeas.request_subjects
                   where request_id = new.job_id and key = '${demoPeople.member.userId}')
        then raise exception 'poisoned' using errcode = 'XX001'; end if; return new; end $$;
      create trigger poison before insert on habeas.packages for each row execute function public.poison()`);
    const file = async (who: Caller): Promise<string> =>
      ((await who.post('/v1/me/requests', { kind: 'access' })).body as { id: string }).id;
    const [poisoned, other] = [await file(member), await file(admin)];
    await desk.sweep();
    const state = (id: string) =>
      row<{ status: string; attempts: number }>(
        'select status, attempts from habeas.requests where id = $1',
        id,
      );
    await eventually(async () => (await state(other))?.status === 'fulfilled', 20_000);
    // Its attempt could not even begin: the queue tries it again, and the desk sees why it does not move.
    await eventually(async () => (await stuck()).some(({ id }) => id === poisoned));
    expect(await stuck()).toMatchObject([{ work: 'queue:access-fulfilment', id: poisoned, code: 'XX001' }]);
    await desk.db.behindTheScenes('drop function public.poison() cascade');
    await eventually(async () => (await state(poisoned))?.status === 'fulfilled', 40_000);
    await eventually(async () => (await stuck()).length === 0);
  });
});
