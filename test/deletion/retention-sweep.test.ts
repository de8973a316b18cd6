import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { TestDesk } from '../support/desk.js';
import { Gate } from '../support/gate.js';
import { differences, RetentionSituation } from './retention-situation.js';

const { acme, borealis } = workspaceIds;
const { member, viewer } = demoPeople;
const DAY = 86_400_000;

/** Of Acme, sent before this moment. */
const old = `atelier.messages where workspace_id = '${acme}' and sent_at <= $1`;
const oldAttachments = `atelier.attachments a join atelier.messages m on m.id = a.message_id
  where m.workspace_id = '${acme}' and m.sent_at <= $1`;

describe('a retention that is over', () => {
  let desk: TestDesk;
  let situation: RetentionSituation;
  beforeEach(async () => {
    desk = await TestDesk.open({ work: false });
    situation = new RetentionSituation(desk);
    // On first sight a workspace gets its place in the directory.
    await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention`);
    await (await desk.as('neighbour')).get(`/v1/workspaces/${borealis}/retention`);
  });
  afterEach(() => desk.close());

  const ago = (days: number) => new Date(desk.clock.now().getTime() - days * DAY);
  const preview = async (query = '') =>
    (await (await desk.as('owner')).get(`/v1/workspaces/${acme}/retention/preview${query}`)).body;

  /** One of Acme's messages, and its age. */
  const aged = async (date: Date, whose = member.userId) => {
    const [row] = await situation.sql<{ id: string }>(
      `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
       select id, workspace_id, $1, '\\x00', '\\x00', $2 from atelier.workrooms where workspace_id = $3 limit 1 returning id`,
      [whose, date, acme],
    );
    return row?.id ?? '';
  };
  const isThere = (id: string) => situation.count('atelier.messages where id = $1', [id]);

  test('takes what the preview has counted, files included, and nothing of anybody else', async () => {
    const limit = ago(30);
    const [rows, files] = [
      await situation.count(old, [limit]),
      await situation.count(oldAttachments, [limit]),
    ];
    expect(rows).toBeGreaterThan(10);
    expect(files).toBeGreaterThan(0);
    const [path] = await situation.sql<{ bucket: string; path: string }>(
      `select a.bucket, a.path from ${oldAttachments} and a.bytes::bigint > 0`,
      [limit],
    );
    expect(await preview('?collection=messages&keep=P30D')).toEqual({
      collections: [
        {
          collection: 'messages',
          keep: 'P30D',
          before: limit.toISOString(),
          rows,
          files: 0,
          hanging: [{ collection: 'attachments', rows: files, files }],
        },
      ],
      rows: rows + files,
      files,
    });
    const before = await situation.rows();
    await situation.keep(acme, 'messages', 'P30D');
    await situation.run(acme);
    expect(await situation.failures(acme)).toEqual([]);
    expect(differences(before, await situation.rows())).toEqual({
      'atelier.messages': { gone: rows, come: 0 },
      'atelier.attachments': { gone: files, come: 0 },
    });
    expect(await situation.count(old, [limit])).toBe(0);
    expect(await situation.count('habeas.erasure_files')).toBe(0);
    const store = desk.app.get((await import('../../src/storage/object-store.js')).OBJECT_STORES);
    expect(await store.bucket(path?.bucket).stat(path?.path)).toBeNull();
    expect(await situation.told(acme, 'retention.swept')).toEqual([
      { collections: { messages: { rows }, attachments: { rows: files, files } } },
    ]);
    expect(await preview('?collection=messages&keep=P30D')).toMatchObject({ rows: 0, files: 0 });

    // Once more there is nothing to do, and nothing to tell.
    await situation.run(acme);
    expect(await situation.told(acme, 'retention.swept')).toHaveLength(1);
  });

  test('that is lengthened while a sweep runs counts for the next batch', async () => {
    await situation.keep(acme, 'messages', 'P30D');
    const gate = await Gate.shut(desk.db, 'atelier.messages', 'delete');
    try {
      const owner = await desk.as('owner');
      const running = situation.run(acme);
      await gate.reached();
      const body = { collections: { messages: { keep: null } } };
      const change = owner.put(`/v1/workspaces/${acme}/retention`, body);
      await gate.queued();
      situation.comesFirst(change);
      await gate.open();
      expect((await change).status).toBe(200);
      const left = await situation.count(old, [ago(30)]);
      expect(left).toBeGreaterThan(0);
      await running;
      expect(await situation.count(old, [ago(30)])).toBe(left);
    } finally {
      await gate.remove();
    }
    expect(await situation.failures(acme)).toEqual([]);
  });

  test('ends at its moment: a second later is not over', async () => {
    await situation.keep(acme, 'messages', 'P30D');
    const limit = ago(30);
    const ids = await Promise.all([-1000, 0, 1000].map((ms) => aged(new Date(limit.getTime() + ms))));
    await situation.run(acme);
    expect(await Promise.all(ids.map(isThere))).toEqual([0, 0, 1]);
    desk.clock.advance(1000);
    await situation.run(acme);
    expect(await isThere(ids[2] ?? '')).toBe(0);
  });

  test('never reaches below what a law demands, counted from the end of the year', async () => {
    const invoice = (number: string, issued: string) =>
      situation.sql(
        `insert into atelier.invoices (number, workspace_id, billed_user_id, billed_name, amount, currency, line_items, issued_on)
         values ($1, $2, $3, 'B', 1, 'EUR', '[]', $4)`,
        [number, acme, member.userId, issued],
      );
    await invoice('OLD-2017', '2017-12-31');
    await invoice('OLD-2018', '2018-01-01');
    // Somebody wrote less than the floor behind our back.
    await situation.keep(acme, 'invoices', 'P1Y');
    await situation.run(acme);
    const left = await situation.sql<{ number: string }>(
      `select number from atelier.invoices where number like 'OLD-%'`,
    );
    expect(left).toEqual([{ number: 'OLD-2018' }]);
    desk.clock.set('2026-12-31T23:59:59Z');
    await situation.run(acme);
    expect(await situation.count(`atelier.invoices where number = 'OLD-2018'`)).toBe(1);
    desk.clock.set('2027-01-01T00:00:00Z');
    await situation.run(acme);
    expect(await situation.count(`atelier.invoices where number = 'OLD-2018'`)).toBe(0);
  });

  test('leaves a person under a hold alone, and takes the others’ rows', async () => {
    await situation.keep(acme, 'messages', 'P30D');
    const support = await desk.as('support');
    const placed = await support.post(`/v1/workspaces/${acme}/holds`, {
      subject: { kind: 'user', key: member.userId },
      ground: 'Pending lawsuit',
      reviewOn: '2027-05-01',
    });
    const [theirs, others] = [await aged(ago(40)), await aged(ago(40), viewer.userId)];
    const before = await situation.sql('select * from atelier.messages where author_id = $1 order by id', [
      member.userId,
    ]);
    await situation.run(acme);
    expect(await situation.sql('select * from atelier.messages where author_id = $1 order by id', [member.userId])).toEqual(before); // prettier-ignore
    expect([await isThere(theirs), await isThere(others)]).toEqual([1, 0]);
    await support.delete(`/v1/workspaces/${acme}/holds/${placed.body.id}`);
    await situation.run(acme);
    expect(await isThere(theirs)).toBe(0);
  });

  test('does nothing in a workspace that is held, nor to a row from which a held collection’s hangs', async () => {
    await situation.keep(acme, 'messages', 'P30D');
    const support = await desk.as('support');
    const holds = `/v1/workspaces/${acme}/holds`;
    const whole = await support.post(holds, { ground: 'Order', reviewOn: '2027-05-01' });
    const before = await situation.rows();
    await situation.run(acme);
    expect(differences(before, await situation.rows())).toEqual({});
    await support.delete(`${holds}/${whole.body.id}`);
    await support.post(holds, { collection: 'attachments', ground: 'Order', reviewOn: '2027-05-01' });
    await situation.run(acme);
    const gone = differences(before, await situation.rows());
    expect(gone['atelier.attachments']).toBeUndefined();
    expect(gone['atelier.messages']?.gone).toBeGreaterThan(0);
  });

  test('waits for whoever’s access is open, until the package is fetched', async () => {
    await situation.keep(acme, 'messages', 'P30D');
    const id = await aged(ago(40));
    const other = await aged(ago(40), viewer.userId);
    const me = await desk.as('member');
    const filed = await me.post('/v1/me/requests', { kind: 'access' });
    await situation.run(acme);
    expect([await isThere(id), await isThere(other)]).toEqual([1, 0]);
    await me.post(`/v1/me/requests/${filed.body.id}/withdrawals`);
    await situation.run(acme);
    expect(await isThere(id)).toBe(0);
  });

  test('P0D takes a room as soon as it is archived, with all that hangs from it', async () => {
    await situation.keep(acme, 'workrooms', 'P0D');
    await situation.sql('update atelier.workrooms set archived_at = null');
    const [room] = await situation.sql<{ id: string }>(
      `select r.id from atelier.workrooms r where workspace_id = $1 and exists (
         select from atelier.messages m join atelier.attachments a on a.message_id = m.id where m.workroom_id = r.id) limit 1`,
      [acme],
    );
    await situation.run(acme);
    expect(await situation.told(acme, 'retention.swept')).toEqual([]);
    const its = {
      messages: await situation.count('atelier.messages where workroom_id = $1', [room?.id]),
      attachments: await situation.count(
        'atelier.attachments a join atelier.messages m on m.id = a.message_id where m.workroom_id = $1',
        [room?.id],
      ),
    };
    await situation.sql('update atelier.workrooms set archived_at = $2 where id = $1', [
      room?.id,
      desk.clock.now(),
    ]);
    const before = await situation.rows();
    await situation.run(acme);
    expect(await situation.failures(acme)).toEqual([]);
    expect(differences(before, await situation.rows())).toMatchObject({
      'atelier.workrooms': { gone: 1, come: 0 },
      'atelier.messages': { gone: its.messages, come: 0 },
      'atelier.attachments': { gone: its.attachments, come: 0 },
    });
    const [event] = await situation.told(acme, 'retention.swept');
    expect(event.collections).toMatchObject({
      workrooms: { rows: 1 },
      messages: { rows: its.messages },
      attachments: { rows: its.attachments },
    });
  });

  test('what is set for one workspace is nothing to another', async () => {
    await situation.keep(borealis, 'messages', 'P30D');
    await situation.keep(acme, 'customers', null);
    const before = await situation.sql('select * from atelier.messages where workspace_id = $1 order by id', [
      acme,
    ]);
    await situation.run(borealis);
    await situation.run(acme);
    expect(await situation.sql('select * from atelier.messages where workspace_id = $1 order by id', [acme])).toEqual(before); // prettier-ignore
  });
});
