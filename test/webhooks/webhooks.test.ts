import { randomUUID } from 'node:crypto';
import { type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { workspaceIds } from '../../demo/people.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { DeliveriesSweep } from '../../src/webhooks/deliveries.sweep.js';
import { type Announcement, Webhooks } from '../../src/webhooks/webhooks.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { type Received, Receiver } from './receiver.js';

const { acme, borealis } = workspaceIds;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (workspace: string) => `/v1/workspaces/${workspace}/webhooks`;

describe('webhooks', () => {
  let desk: TestDesk;
  let owner: Caller;
  /** The host app's own token, which outlives a moved clock. */
  let app: Caller;
  const began = new Date('2026-11-20T12:00:00Z');
  let member: Caller;
  let neighbour: Caller;
  let headquarters: Caller;
  const receivers: Receiver[] = [];
  beforeAll(async () => {
    desk = await TestDesk.open({ limits: [] });
    owner = await desk.as('owner');
    const made = await owner.post(`/v1/workspaces/${acme}/tokens`, {
      name: 'Hooks',
      permissions: ['webhooks:manage'],
    });
    app = desk.bearer((made.body as { token: string }).token);
    member = await desk.as('member');
    neighbour = await desk.as('neighbour');
    headquarters = await desk.as('privacy-lead');
  }, 60_000);
  afterEach(async () => {
    await desk.db.behindTheScenes('delete from habeas.webhooks');
    desk.clock.set(began);
    for (const receiver of receivers.splice(0)) await receiver.close();
  });
  afterAll(() => desk.close());

  const receiving = async (): Promise<Receiver> => {
    const receiver = await Receiver.open();
    receivers.push(receiver);
    return receiver;
  };
  const subscribed = async (
    url: string,
    types = ['workspace.purged'],
    who = app,
    workspace: string = acme,
  ): Promise<{ id: string; secret: string }> => {
    const { status, body } = await who.post(at(workspace), { url, types });
    expect({ status, body }).toMatchObject({ status: 201 });
    return body as { id: string; secret: string };
  };
  const announce = (what: Partial<Announcement> = {}, tenant: string = acme) =>
    desk.db.database.within(systemTenancy(tenant, 'test'), (tx) =>
      desk.app.get(Webhooks).announce(tx, { type: 'workspace.purged', data: { n: 1 }, ...what }),
    );
  const deliveries = async (id: string, who = app, workspace: string = acme): Promise<any[]> =>
    (await who.get(`${at(workspace)}/${id}/deliveries`)).body.items as any[];
  /** As the bell does it, again and again: a job that has not quite ended yet is not queued a second time. */
  const swept = (id: string, like: Record<string, unknown>) =>
    eventually(async () => {
      await desk.app.get(DeliveriesSweep).run();
      const [newest] = await deliveries(id);
      return Object.entries(like).every(([name, value]) => newest?.[name] === value) && newest;
    });
  /** The newest delivery once it is like this. */
  const delivery = (id: string, like: Record<string, unknown>) =>
    eventually(async () => {
      const [newest] = await deliveries(id);
      return Object.entries(like).every(([name, value]) => newest?.[name] === value) && newest;
    });
  const read = ({ body, headers }: Received, secret: string): any => {
    // The clock of these tests stands still; the library's does not.
    const now = Date.now;
    Date.now = () => desk.clock.now().getTime();
    try {
      return new Webhook(secret).verify(body, headers);
    } finally {
      Date.now = now;
    }
  };

  test('a request is told to its workspace’s endpoint, signed, with ids and codes and nobody’s data', async () => {
    const receiver = await receiving();
    const { id, secret } = await subscribed(receiver.url, ['request.filed', 'request.fulfilled']);
    const filed = await member.post('/v1/me/requests', {
      kind: 'access',
      scope: 'person',
      workspaceId: acme,
    });
    expect(filed.status).toBe(201);
    await eventually(() => receiver.received.length === 2);
    const told = receiver.received.map((message) => read(message, secret));
    expect(told).toEqual(
      ['request.filed', 'request.fulfilled'].map((type) => ({
        type,
        timestamp: desk.clock.now().toISOString(),
        data: expect.objectContaining({ workspaceId: acme, requestId: filed.body.id }),
      })),
    );
    const words = new Set(told.flatMap(({ data }) => Object.keys(data)));
    for (const word of words)
      expect(['workspaceId', 'requestId', 'kind', 'scope', 'outcome']).toContain(word);
    const listed = await eventually(async () => {
      const items = await deliveries(id);
      return items.every(({ status }) => status === 'delivered') ? items : undefined;
    });
    expect(listed.map((item) => item.id).sort()).toEqual(
      receiver.received.map(({ headers }) => headers['webhook-id']).sort(),
    );
    expect(listed[0]).toEqual({
      id: expect.any(String),
      type: expect.any(String),
      status: 'delivered',
      attempts: 1,
      responseStatus: 204,
      failure: null,
      createdAt: expect.any(String),
      nextAttemptAt: null,
      finishedAt: expect.any(String),
    });
  });

  test('an endpoint hears of the types that it asked for, and of no other workspace', async () => {
    const [ours, theirs, others] = [await receiving(), await receiving(), await receiving()];
    const { id } = await subscribed(ours.url);
    await subscribed(theirs.url, ['workspace.purged'], neighbour, borealis);
    await subscribed(others.url, ['workspace.deletion_scheduled']);
    await announce();
    await delivery(id, { status: 'delivered' });
    expect([ours, theirs, others].map(({ received }) => received.length)).toEqual([1, 0, 0]);
  });

  test('the host’s own endpoints hear of every workspace, and which it is', async () => {
    const receiver = await receiving();
    const { secret } = await subscribed(receiver.url, ['workspace.purged'], headquarters, HOST_TENANT);
    await announce({}, acme);
    await announce({}, borealis);
    await eventually(() => receiver.received.length === 2);
    expect(receiver.received.map((one) => read(one, secret).data.workspaceId).sort()).toEqual(
      [acme, borealis].sort(),
    );
    expect((await owner.get(at(HOST_TENANT))).status).toBe(404);
  });

  test('nothing is told of what was rolled back', async () => {
    const receiver = await receiving();
    const { id } = await subscribed(receiver.url);
    const work = desk.db.database.within(systemTenancy(acme, 'test'), async (tx) => {
      await desk.app.get(Webhooks).announce(tx, { type: 'workspace.purged', data: {} });
      throw new Error('after all not');
    });
    await expect(work).rejects.toThrow('after all not');
    expect(await deliveries(id)).toEqual([]);
  });

  test('a secret is shown once, kept sealed, and overlaps with its follower for as long as was said', async () => {
    const receiver = await receiving();
    const { id, secret: first } = await subscribed(receiver.url);
    expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const rotated = await app.post(`${at(acme)}/${id}/secrets`, { overlapSeconds: 3600 });
    expect(rotated.status).toBe(201);
    const second = rotated.body.secret as string;
    await announce();
    await delivery(id, { status: 'delivered' });
    for (const secret of [first, second]) read(receiver.received[0] as Received, secret);
    desk.clock.advance(HOUR + 1000);
    await announce();
    await eventually(() => receiver.received.length === 2);
    read(receiver.received[1] as Received, second);
    expect(() => read(receiver.received[1] as Received, first)).toThrow('No matching signature');
    const third = await app.post(`${at(acme)}/${id}/secrets`, { overlapSeconds: 0 });
    expect(third.body.secrets).toHaveLength(1);
    for (const path of [at(acme), `${at(acme)}/${id}`, `${at(acme)}/${id}/deliveries`])
      expect(JSON.stringify((await app.get(path)).body)).not.toContain('whsec_');
    const kept = await desk.db.behindTheScenes<{ row: string }>(
      `select row_to_json(s)::text || encode(secret_sealed, 'escape') as row from habeas.webhook_secrets s`,
    );
    expect(kept).toHaveLength(1);
    for (const secret of [first, second, third.body.secret as string]) {
      expect(JSON.stringify(kept)).not.toContain(secret);
      expect(JSON.stringify(kept)).not.toContain(secret.slice(6));
    }
  });

  test('a failure is tried again by the schedule, under the same id and with the same words', async () => {
    const receiver = await receiving();
    receiver.answer(500);
    const { id } = await subscribed(receiver.url);
    await announce();
    const waits: number[] = [];
    for (let attempts = 1; attempts <= 4; attempts++) {
      const { nextAttemptAt } = await swept(id, { attempts, status: 'pending', responseStatus: 500 });
      waits.push(Date.parse(nextAttemptAt as string) - desk.clock.now().getTime());
      // One moment too early nothing happens.
      desk.clock.set(new Date(Date.parse(nextAttemptAt as string) - 1));
      await desk.sweep();
      desk.clock.set(nextAttemptAt as string);
      if (attempts === 4) receiver.take();
      await desk.sweep();
    }
    for (const [i, planned] of [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(planned);
      expect(waits[i]).toBeLessThanOrEqual(planned * 1.2);
    }
    await swept(id, { status: 'delivered', attempts: 5, responseStatus: 204 });
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(receiver.received).toHaveLength(5);
    expect((await app.get(`${at(acme)}/${id}`)).body.failingSince).toBeNull();
  });

  test('Retry-After is waited for', async () => {
    const receiver = await receiving();
    receiver.answer(429, { 'retry-after': '7200' });
    const { id } = await subscribed(receiver.url);
    await announce();
    const { nextAttemptAt } = await delivery(id, { attempts: 1, responseStatus: 429, status: 'pending' });
    expect(Date.parse(nextAttemptAt as string) - desk.clock.now().getTime()).toBe(2 * HOUR);
  });

  test('410 Gone ends it at once: nothing more is sent, staff and the log know, and it can be resumed', async () => {
    const receiver = await receiving();
    receiver.answer(410);
    const { id } = await subscribed(receiver.url);
    await announce();
    await delivery(id, { status: 'failed', responseStatus: 410 });
    expect((await app.get(`${at(acme)}/${id}`)).body).toMatchObject({ disabledBecause: 'webhook.gone' });
    await announce();
    expect((await deliveries(id)).map(({ status, failure }) => [status, failure])).toContainEqual([
      'failed',
      'webhook.disabled',
    ]);
    const support = await desk.as('support');
    expect((await support.get('/v1/desk/overdue')).body.suspendedWebhooks).toEqual([
      { id, workspaceId: acme, disabledAt: expect.any(String), because: 'webhook.gone' },
    ]);
    const { body: log } = await owner.get(`/v1/workspaces/${acme}/events?limit=200`);
    expect(log.items).toContainEqual(
      expect.objectContaining({
        action: 'webhook.disabled',
        outcome: 'failure',
        metadata: { code: 'webhook.gone' },
      }),
    );

    const failed = (await deliveries(id)).find(({ failure }) => failure === 'webhook.disabled');
    const again = `${at(acme)}/${id}/deliveries/${failed.id as string}/attempts`;
    expect((await app.post(again)).status).toBe(409);
    receiver.take();
    expect((await app.delete(`${at(acme)}/${id}/suspension`)).status).toBe(204);
    expect((await app.post(again)).status).toBe(202);
    await eventually(() => receiver.received.at(-1)?.headers['webhook-id'] === failed.id);
  });

  test('a message is given up after ten attempts in three days, and the endpoint with it', async () => {
    const receiver = await receiving();
    receiver.behaviour = (_, request) => request.socket.destroy();
    const { id } = await subscribed(receiver.url);
    await announce();
    for (let attempts = 1; attempts < 10; attempts++) {
      const { nextAttemptAt } = await swept(id, {
        attempts,
        status: 'pending',
        failure: 'outgoing.unreachable',
      });
      desk.clock.set(nextAttemptAt as string);
    }
    await swept(id, { attempts: 10, status: 'failed' });
    expect(desk.clock.now().getTime() - began.getTime()).toBeGreaterThan(3 * DAY);
    expect((await app.get(`${at(acme)}/${id}`)).body).toMatchObject({ disabledBecause: 'webhook.failing' });
  });

  test('a server that hangs keeps no other endpoint waiting, and is left alone for a while', async () => {
    const [slow, quick] = [await receiving(), await receiving()];
    slow.behaviour = () => undefined;
    const hanging = await subscribed(slow.url);
    for (let n = 0; n < 10; n++) await announce();
    await eventually(() => slow.received.length === 1);
    const { id } = await subscribed(quick.url);
    await announce();
    await delivery(id, { status: 'delivered' });
    expect(slow.received).toHaveLength(1);
    slow.answer(500);
    await slow.close();
    receivers.splice(receivers.indexOf(slow), 1);
    await eventually(async () => (await deliveries(hanging.id)).some(({ failure }) => failure !== null));
    expect(slow.received).toHaveLength(1);
  });

  test('a tenant whose endpoints all hang keeps no other tenant waiting, and has its own served in turn', async () => {
    const [slow, quick] = [await receiving(), await receiving()];
    const held: ServerResponse[] = [];
    slow.behaviour = (response) => held.push(response);
    const hanging: string[] = [];
    for (let n = 0; n < 12; n++) hanging.push((await subscribed(slow.url)).id);
    for (let n = 0; n < 3; n++) await announce();
    await eventually(() => held.length === 2);
    const { id } = await subscribed(quick.url, ['workspace.purged'], neighbour, borealis);
    for (let n = 0; n < 20; n++) await announce({ data: { n } }, borealis);
    // Less than the 15 s that each of the other tenant's may take: of those the first two are still held afterwards.
    await eventually(() => quick.received.length === 20, 14_000);
    await eventually(async () =>
      (await deliveries(id, neighbour, borealis)).every(({ status }) => status === 'delivered'),
    );
    expect(held).toHaveLength(2);
    // No sweep: whoever is through hands on to the endpoint that waits.
    slow.take();
    for (const response of held) response.writeHead(204).end();
    await eventually(() => slow.received.length === 36, 20_000);
    for (const one of hanging)
      await eventually(async () => (await deliveries(one)).every(({ status }) => status === 'delivered'));
  }, 40_000);

  test('a dead endpoint is no work of ours that is overdue; what no worker takes up is', async () => {
    const overdue = () =>
      desk.db.database.asSweep((tx) => desk.app.get(DeliveriesSweep).oldestDue(tx, desk.clock.now()));
    const receiver = await receiving();
    receiver.answer(500);
    const { id } = await subscribed(receiver.url);
    await announce();
    const { nextAttemptAt } = await delivery(id, { attempts: 1, responseStatus: 500 });
    const next = Date.parse(nextAttemptAt as string);
    desk.clock.set(new Date(next - 1));
    expect(await overdue()).toBeNull();
    // Nobody looks: an hour later it is an hour late, not as old as the message.
    desk.clock.set(new Date(next + HOUR));
    expect((await overdue())?.getTime()).toBe(next);
    await swept(id, { attempts: 2, responseStatus: 500 });
    expect(await overdue()).toBeNull();
  });

  test('many messages arrive once each', async () => {
    const receiver = await receiving();
    const { id } = await subscribed(receiver.url);
    for (let n = 0; n < 60; n++) await announce({ data: { n } });
    await eventually(() => receiver.received.length === 60, 20_000);
    await eventually(
      async () => (await deliveries(id)).filter(({ status }) => status !== 'delivered').length === 0,
    );
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(60);
    const { body: page } = await app.get(`${at(acme)}/${id}/deliveries?limit=25`);
    const { body: rest } = await owner.get(
      `${at(acme)}/${id}/deliveries?limit=200&cursor=${page.next as string}`,
    );
    expect(new Set([...page.items, ...rest.items].map((item) => item.id)).size).toBe(60);
  });

  test('a redirect is a failure, not a way elsewhere', async () => {
    const [receiver, other] = [await receiving(), await receiving()];
    receiver.answer(307, { location: other.url });
    const { id } = await subscribed(receiver.url);
    await announce();
    await delivery(id, { attempts: 1, status: 'pending', responseStatus: 307 });
    expect(other.connections).toBe(0);
  });

  test('what a poisoned endpoint cannot sign fails alone, and the others hear all the same', async () => {
    const [poisoned, sound] = [await receiving(), await receiving()];
    const bad = await subscribed(poisoned.url);
    await desk.db.behindTheScenes(`update habeas.webhook_secrets set secret_sealed = '\\x00ff'`);
    const good = await subscribed(sound.url);
    await announce();
    await delivery(good.id, { status: 'delivered' });
    await delivery(bad.id, { attempts: 1, status: 'pending', failure: 'sealing.unreadable' });
    expect(poisoned.connections).toBe(0);
    // That is ours to mend, not the endpoint's: the desk is told until it is.
    const stuck = async () =>
      (await (await desk.as('support')).get('/v1/desk/overdue')).body.stuckRows as any[];
    await expect(desk.sweep()).rejects.toBeInstanceOf(AggregateError);
    expect(await stuck()).toMatchObject([{ work: 'webhooks', id: bad.id, code: 'sealing.unreadable' }]);
    await desk.db.behindTheScenes('delete from habeas.webhooks where id = $1', [bad.id]);
    await desk.sweep();
    expect(await stuck()).toEqual([]);
  });

  test('what is long over is forgotten', async () => {
    const receiver = await receiving();
    const { id } = await subscribed(receiver.url);
    await announce();
    await delivery(id, { status: 'delivered' });
    desk.clock.advance(89 * DAY);
    await desk.sweep();
    expect(await deliveries(id)).toHaveLength(1);
    desk.clock.advance(DAY);
    await desk.sweep();
    expect(await deliveries(id)).toEqual([]);
  });

  test('an endpoint is changed and deleted by those who may, and foreign ids are missing ids', async () => {
    const { id } = await subscribed('http://127.0.0.1:9/');
    const put = await app.put(`${at(acme)}/${id}`, {
      url: 'http://127.0.0.1:10/',
      types: ['request.filed'],
    });
    expect(put).toMatchObject({
      status: 200,
      body: { url: 'http://127.0.0.1:10/', types: ['request.filed'] },
    });
    for (const who of [member, await desk.as('viewer'), await desk.as('auditor'), await desk.as('support')])
      expect([403, 404]).toContain((await who.get(at(acme))).status);
    const foreign = `${at(borealis)}/${id}`;
    for (const answer of [
      await neighbour.get(foreign),
      await neighbour.put(foreign, { url: 'http://127.0.0.1:9/', types: ['request.filed'] }),
      await neighbour.delete(foreign),
      await neighbour.post(`${foreign}/secrets`),
      await neighbour.delete(`${foreign}/suspension`),
      await neighbour.get(`${foreign}/deliveries`),
      await neighbour.post(`${foreign}/deliveries/${randomUUID()}/attempts`),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'webhook.not_found' } });
    expect((await app.delete(`${at(acme)}/${id}`)).status).toBe(204);
    expect((await app.get(`${at(acme)}/${id}`)).status).toBe(404);
  });

  test.each([
    [{ url: 'http://169.254.169.254/', types: ['request.filed'] }, 422, 'outgoing.url_refused'],
    [
      { url: 'https://me:secret4711@hooks.example.org/', types: ['request.filed'] },
      422,
      'outgoing.url_refused',
    ],
    [{ url: 'file:///etc/passwd', types: ['request.filed'] }, 422, 'outgoing.url_refused'],
    [{ url: 'https://hooks.example.org/', types: ['request.exploded'] }, 400, 'input.invalid'],
    [{ url: 'https://hooks.example.org/', types: [] }, 400, 'input.invalid'],
    [{ url: 'https://hooks.example.org/', types: ['request.filed', 'request.filed'] }, 400, 'input.invalid'],
    [
      { url: 'https://hooks.example.org/', types: ['request.filed'], description: 'a\nb' },
      400,
      'input.invalid',
    ],
    [{ url: 'https://hooks.example.org/' }, 400, 'input.invalid'],
  ])('%j is refused', async (body, status, code) => {
    const answer = await owner.post(at(acme), body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain('secret4711');
  });

  test('a tenant has twenty endpoints at most, also when they are made at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 25 }, () =>
        owner.post(at(acme), { url: 'http://127.0.0.1:9/', types: ['request.filed'] }),
      ),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(made.find(({ status }) => status !== 201)?.body.code).toBe('webhook.too_many');
  });
});
