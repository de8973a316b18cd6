import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const { acme } = workspaceIds;
const { member } = demoPeople;

describe('links that prove an address', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
  });
  afterAll(() => desk.close());

  const file = (who: Caller, mail: string, workspace: string = acme) =>
    who.post(`/v1/workspaces/${workspace}/requests`, { kind: 'access', scope: 'person', subject: { mail } });
  const tokenOf = async (owner: Caller) =>
    (await owner.post(`/v1/workspaces/${acme}/tokens`, { name: 'App', permissions: ['requests:write'] })).body
      .token as string;
  const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort();
  const linksTo = async (ids: string[]) =>
    desk.db.behindTheScenes('select 1 from habeas.request_verifications where request_id = any ($1)', [ids]);

  test('go to one address five times a day, whether the owner or the host app asks, many at once', async () => {
    const owner = await desk.as('owner');
    const app = desk.bearer(await tokenOf(owner));
    const mail = 'inbox@elsewhere.example';
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, nth) => file(nth % 2 ? app : owner, nth % 3 ? mail : mail.toUpperCase())),
    );
    // Filed they all are: the clock of each runs from its receipt, whatever may be mailed.
    expect(statuses(answers)).toEqual(Array(8).fill(201));
    const ids = answers.map(({ body }) => body.id as string);
    expect(await linksTo(ids)).toHaveLength(5);

    desk.clock.advance(60 * MINUTE);
    const late = await file(app, mail);
    expect(late).toMatchObject({ status: 201, body: { status: 'verifying' } });
    const { timeline } = (
      await (await desk.as('owner')).get(`/v1/workspaces/${acme}/requests/${late.body.id}`)
    ).body;
    const postponed = timeline.find(({ action }: { action: string }) => action === 'verification.postponed');
    expect(new Date(postponed.metadata.until).getTime()).toBe(desk.clock.now().getTime() + 23 * 60 * MINUTE);
    const other = await file(app, 'other@elsewhere.example');
    expect(await linksTo([other.body.id])).toHaveLength(1);

    // Each of those that had to wait gets its link, and none a second one at once.
    desk.clock.advance(24 * 60 * MINUTE);
    await desk.sweep();
    await desk.sweep();
    expect(await linksTo([...ids, late.body.id])).toHaveLength(10);
    desk.clock.advance(24 * 60 * MINUTE);
    await desk.sweep();
    for (const id of [...ids, late.body.id]) expect((await linksTo([id])).length).toBeGreaterThan(0);
  });

  test('that are all used up by others keep neither the person nor staff from a proof', async () => {
    const owner = await desk.as('owner');
    const filed: string[] = [];
    for (let nth = 0; nth < 6; nth++) filed.push((await file(owner, member.mail)).body.id);
    expect(await linksTo(filed)).toHaveLength(5);

    const support = await desk.as('support');
    const person = await desk.as('member');
    desk.clock.advance(11 * MINUTE);
    const own = await person.post('/v1/me/requests', {
      ...{ kind: 'deletion', scope: 'person', workspaceId: acme },
    });
    expect(own).toMatchObject({ status: 201, body: { status: 'verifying' } });
    expect(await linksTo([own.body.id])).toHaveLength(1);
    const letter = { mail: member.mail, channel: 'letter', workspaceId: acme };
    const written = await support.post('/v1/desk/requests', letter);
    expect(written).toMatchObject({ status: 201, body: { status: 'verifying' } });
    // Nor is another workspace any the wiser.
    expect((await file(await desk.as('neighbour'), member.mail, workspaceIds.borealis)).status).toBe(201);
  });

  test('are counted with those that are sent again, and reminders wait for their turn', async () => {
    const support = await desk.as('support');
    const mail = 'again@elsewhere.example';
    const write = () => support.post('/v1/desk/requests', { mail, channel: 'mail' });
    const [first, second] = [(await write()).body.id as string, (await write()).body.id as string];
    const again = (id: string) =>
      support.post(`/v1/workspaces/00000000-0000-8000-8000-00686f737400/requests/${id}/verifications`, {
        method: 'link',
      });
    expect(statuses([await again(first), await again(first), await again(first)])).toEqual([201, 201, 201]);
    expect(await again(second)).toMatchObject({ status: 429, body: { code: 'verification.too_often' } });

    desk.clock.advance(DAY - MINUTE);
    desk.clock.advance(MINUTE);
    await desk.sweep();
    // The first had more than one link before; the second is reminded now that the day is over.
    expect(await linksTo([second])).toHaveLength(2);
    expect(await linksTo([first])).toHaveLength(4);
  });

  test('do not fail a sweep where no more may go: the reminder comes later', async () => {
    const support = await desk.as('support');
    const mail = 'sweep@elsewhere.example';
    const { body } = await support.post('/v1/desk/requests', { mail, channel: 'mail' });
    desk.clock.advance(DAY - MINUTE);
    const later = await desk.as('support');
    for (let nth = 0; nth < 4; nth++)
      expect((await later.post('/v1/desk/requests', { mail, channel: 'mail' })).status).toBe(201);
    desk.clock.advance(MINUTE / 2);
    await desk.sweep();
    expect(await linksTo([body.id])).toHaveLength(1);
    desk.clock.advance(MINUTE / 2);
    await desk.sweep();
    expect(await linksTo([body.id])).toHaveLength(2);
  });

  test('go to each request once before any is reminded, in whatever order they are looked at', async () => {
    const mail = 'fair@elsewhere.example';
    const write = async () =>
      (await (await desk.as('support')).post('/v1/desk/requests', { mail, channel: 'mail' })).body
        .id as string;
    const reminded: string[] = [];
    for (let nth = 0; nth < 5; nth++) reminded.push(await write());
    const waiting: string[] = [];
    for (let nth = 0; nth < 5; nth++) waiting.push(await write());
    expect(await linksTo(waiting)).toHaveLength(0);
    desk.clock.advance(DAY);
    await desk.sweep();
    for (const id of waiting) expect(await linksTo([id])).toHaveLength(1);
    expect(await linksTo(reminded)).toHaveLength(5);
    desk.clock.advance(DAY);
    await desk.sweep();
    expect(await linksTo([...reminded, ...waiting])).toHaveLength(15);
  });

  test('come before any other letter to the address: what no link went out for is acknowledged late, and ends without a word', async () => {
    const write = async (mail: string, most: number) => {
      const support = await desk.as('support');
      const filed: string[] = [];
      for (let nth = 0; nth < most; nth++) {
        const answer = await support.post('/v1/desk/requests', {
          mail,
          channel: 'mail',
          jurisdiction: 'US-CA',
        });
        filed.push(answer.body.id);
      }
      return filed;
    };
    const letters = async (ids: string[], template: string) =>
      desk.db.behindTheScenes(
        'select 1 from habeas.outbox where about = any ($1::uuid[]) and template = $2',
        [ids, template],
      );
    const acknowledged = await write('stranger@elsewhere.example', 7);
    desk.clock.advance(2 * DAY);
    await desk.sweep();
    expect(await letters(acknowledged, 'request-acknowledged')).toHaveLength(5);
    await desk.sweep();
    expect(await letters(acknowledged, 'request-acknowledged')).toHaveLength(7);

    // As if no sweep had come round to the last two for all the time there is.
    const ended = await write('nobody@elsewhere.example', 7);
    desk.clock.advance(31 * DAY);
    await desk.sweep();
    const refused = `
      select 1 from habeas.requests r
      join habeas.events e on e.action = 'request.refused' and e.targets @> jsonb_build_array(jsonb_build_object('id', r.id))
      where r.id = any ($1) and r.status = 'refused'`;
    expect(await desk.db.behindTheScenes(refused, [ended])).toHaveLength(7);
    expect(await letters(ended, 'identity-refused')).toHaveLength(5);
  });
});
