import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { checkCertificate } from '../../src/deletion/certificate/check.js';
import { declare, Processor, type Received, status } from '../dsar/processor.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { acme, DAY, endOfGrace, reached, schedule, settled } from './workspace-purge-scene.js';

const HOUR = 3_600_000;
const hookSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

const recipients = (url: string) => `
  teams:
    title: Search cluster
    kind: webhook
    scope: [workspace]
    collections: [messages]
    url: ${url}/teams
    secret: HOOK
  lake:
    title: The data lake
    kind: http
    scope: [workspace]
    collections: [messages]
    call: { method: DELETE, url: "${url}/lake/{{workspace.key}}" }
    verify: { url: "${url}/lake/{{workspace.key}}" }
  cellar:
    title: The archive in the cellar
    kind: manual
    scope: [workspace]
    collections: [messages]
    instructions: Shred the folder.
  people:
    title: Told of people only
    kind: webhook
    identifiers: [mail]
    url: ${url}/people
    secret: HOOK
`;

describe('when a workspace is purged, others have to be told', () => {
  let desk: TestDesk;
  let processor: Processor;
  let support: Caller;
  let request: string;
  let named: string[];
  const endpoints: { id: string; secret: string; path: string }[] = [];

  const tasks = async () => {
    const { body } = await support.get(`/v1/workspaces/${acme}/requests/${request}/recipients`);
    return new Map((body.items as { name: string; [more: string]: unknown }[]).map((one) => [one.name, one]));
  };
  const later = async (time: number) => {
    desk.clock.advance(time);
    await desk.sweep();
    support = await desk.as('support');
  };
  const received = ({ body, headers }: Received, secret: string): any =>
    new Webhook(secret).verify(body, headers as Record<string, string>);
  const ofEndpoint = (id: string) =>
    desk.db.behindTheScenes<{ table: string }>(
      `select 'webhooks' as table from habeas.webhooks where id = $1
       union all select 'secrets' from habeas.webhook_secrets where webhook_id = $1
       union all select 'deliveries' from habeas.webhook_deliveries where webhook_id = $1 group by 1`,
      [id],
    );

  beforeAll(async () => {
    processor = await Processor.open();
    desk = await TestDesk.open({ environment: { RECIPIENT_HOOK_SECRET: hookSecret } });
    // Receivers of webhooks refuse what was signed long ago by their own clock: the purge is now.
    desk.clock.set(new Date(Date.now() - 30 * DAY));
    await declare(desk, recipients(processor.url));
    processor.on('POST /teams', status(503));
    processor.on('POST /poisoned', status(500));
    const owner = await desk.as('owner');
    for (const path of ['/heard', '/poisoned']) {
      const { body } = await owner.post(`/v1/workspaces/${acme}/webhooks`, {
        url: `${processor.url}${path}`,
        types: ['workspace.purged'],
      });
      endpoints.push({ id: body.id, secret: body.secret, path });
    }
    named = (
      await desk.db.behindTheScenes<{ name: string }>(
        `select unnest(array[u.email, u.id::text]) as name from atelier.users u
         join atelier.memberships m on m.user_id = u.id where m.workspace_id = $1`,
        [acme],
      )
    ).map(({ name }) => name);
    request = await schedule(desk);
    await settled(desk);
    await endOfGrace(desk);
    await reached(desk, request, 'fulfilled');
    support = await desk.as('support');
  }, 120_000);
  afterAll(async () => {
    await desk.close();
    await processor.close();
  });

  test('one that is down holds up neither the purge nor its certificate and mail, which say who is told', async () => {
    await eventually(async () => (await tasks()).get('teams')?.failure === 'recipient.answered_503');
    expect([...(await tasks()).keys()].sort()).toEqual(['cellar', 'lake', 'teams']);
    const titles = ['Search cluster', 'The archive in the cellar', 'The data lake'];
    const mail = await eventually(async () =>
      (await desk.mails()).find(({ subject }) => /is deleted$/.test(subject ?? '')),
    );
    for (const title of titles) expect(mail.text).toContain(title);
    const certificate = desk.enclosed(mail);
    const { keys } = (await desk.anybody().get('/.well-known/habeas-keys.json')).body;
    expect(checkCertificate(certificate, keys)).toMatchObject({ scope: 'workspace', recipients: titles });
  });

  test('they are told afterwards, by the workspace’s key, and of nobody in it', async () => {
    processor.on('POST /teams', status(204));
    await later(HOUR);
    await eventually(async () => (await tasks()).get('teams')?.status === 'told');
    await eventually(async () => {
      const lake = (await tasks()).get('lake');
      return lake?.status !== 'open';
    });
    expect(processor.to('DELETE /lake/').map(({ path }) => path)).toEqual([`/lake/${acme}`]);
    const told = processor.to('POST /teams');
    const first = received(told[0] as Received, hookSecret);
    expect(first).toMatchObject({
      type: 'workspace.erased',
      data: { workspaceId: acme, workspaceKey: acme },
    });
    expect(first.data).not.toHaveProperty('people');
    const ids = told.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(1);
    expect(processor.to('POST /people')).toEqual([]);
    const everything = JSON.stringify(processor.received);
    for (const name of named) expect(everything).not.toContain(name);
  });

  test('their tasks end without what they were told', async () => {
    processor.on('GET /lake/', status(404));
    await eventually(async () => {
      await later(60_000);
      return (await tasks()).get('lake')?.status === 'confirmed';
    }, 20_000);
    const [row] = await desk.db.behindTheScenes<{ n: number }>(
      'select count(*)::int as n from habeas.recipient_tasks where tenant_id = $1 and facts_sealed is not null',
      [acme],
    );
    expect(row?.n).toBe(1);
  });

  test('its own endpoint hears of it, signed, and is gone with its secret once it has', async () => {
    const [heard] = endpoints;
    const told = await eventually(() => processor.to('POST /heard')[0]);
    expect(received(told, heard?.secret ?? '')).toMatchObject({
      type: 'workspace.purged',
      data: { workspaceId: acme, requestId: request },
    });
    await later(60_000);
    expect(await ofEndpoint(heard?.id ?? '')).toEqual([]);
    expect(processor.to('POST /heard')).toHaveLength(1);
  });

  test('an endpoint that never takes it does not keep its secrets for ever', async () => {
    const poisoned = endpoints[1]?.id ?? '';
    expect((await ofEndpoint(poisoned)).map(({ table }) => table)).toContain('secrets');
    for (let tried = 0; tried < 10; tried++) {
      await settled(desk);
      await later(29 * HOUR);
    }
    await settled(desk);
    await later(60_000);
    expect(await ofEndpoint(poisoned)).toEqual([]);
    expect(processor.to('POST /poisoned').length).toBeGreaterThan(5);
  }, 60_000);

  test('the log stays beyond its time until the last of them is done, by hand and by staff alone', async () => {
    const log = async () =>
      (await desk.db.behindTheScenes('select 1 from habeas.events where tenant_id = $1', [acme])).length;
    await desk.db.behindTheScenes(
      `update habeas.workspace_purges set log_ends_at = purged_at + interval '30 days' where tenant_id = $1`,
      [acme],
    );
    await later(31 * DAY);
    expect(await log()).toBeGreaterThan(0);
    const of = `/v1/workspaces/${acme}/requests/${request}`;
    const at = `${of}/recipients/cellar`;
    expect((await support.get(at)).body).toMatchObject({ instructions: 'Shred the folder.', people: [] });
    expect((await (await desk.as('owner')).post(`${at}/confirmations`, {})).status).toBe(404);
    expect((await support.post(`${of}/notes`, { text: 'x' })).status).toBe(410);
    const done = await support.post(`${at}/confirmations`, { note: 'Shredded.' });
    expect([done.status, done.body.status]).toEqual([201, 'done']);
    await later(60_000);
    expect(await log()).toBe(0);
  });
});
