import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { checkCertificate } from '../../src/deletion/certificate/check.js';
import { type SignedCertificate } from '../../src/deletion/certificate/certificate.schema.js';
import { checkpointOf } from '../../src/audit/checkpoint.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { goes, stays } from '../../src/deletion/workspace-own-data.js';
import { Signing } from '../../src/keys/signing.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import {
  acme,
  DAY,
  door,
  endOfGrace,
  neighbours,
  ownRows,
  reached,
  rowsOfHost,
  schedule,
  settled,
  tablesWithTenant,
} from './workspace-purge-scene.js';

const { owner, viewer, member } = demoPeople;

describe('a workspace whose grace is over', () => {
  let desk: TestDesk;
  let support: Caller;
  let host: Map<string, Set<string>>;
  let others: Record<string, string>;
  let files: { bucket: string; path: string }[];
  let request: string;
  let token: string;
  let owners: string[];
  let certificate: SignedCertificate;

  beforeAll(async () => {
    desk = await TestDesk.open();
    // Retention's first look gives every workspace its place in the directory.
    await desk.sweep();
    const me = await desk.as('owner');
    // A second owner, a token, a hold that was released, an auditor, an access that was answered, a request that waits.
    await desk.db.behindTheScenes(
      `update atelier.memberships set role = 'owner' where workspace_id = $1 and user_id = $2`,
      [acme, viewer.userId],
    );
    const made = await me.post(`/v1/workspaces/${acme}/tokens`, {
      name: 'CI of Olivia',
      permissions: ['requests:read'],
    });
    token = made.body.token;
    await me.post(`/v1/workspaces/${acme}/auditors`, { userId: demoPeople.auditor.userId });
    await me.put(`/v1/workspaces/${acme}/controller`, { name: 'Acme GmbH', dpo: 'Dora, dora@acme.example' });
    await (
      await desk.as('neighbour')
    ).put(`/v1/workspaces/${workspaceIds.borealis}/controller`, { name: 'Borealis' });
    const waiting = await (
      await desk.as('support')
    ).post('/v1/desk/requests', {
      kind: 'deletion',
      workspaceId: acme,
      mail: 'somebody.unknown@elsewhere.example',
      channel: 'letter',
    });
    expect(waiting.status).toBe(201);
    owners = (
      await desk.db.behindTheScenes<{ mail: string }>(
        `select email as mail from atelier.users u join atelier.memberships m on m.user_id = u.id
         where m.workspace_id = $1 and m.role = 'owner' order by 1`,
        [acme],
      )
    ).map(({ mail }) => mail);
    expect(owners).toEqual(expect.arrayContaining([owner.mail, viewer.mail]));
    request = await schedule(desk);
    files = await desk.db.behindTheScenes(
      `select bucket, path from atelier.attachments a join atelier.messages m on m.id = a.message_id where m.workspace_id = $1`,
      [acme],
    );
    await settled(desk);
    host = await rowsOfHost(desk);
    others = await neighbours(desk);
    await endOfGrace(desk);
    await reached(desk, request, 'fulfilled');
    await settled(desk);
    support = await desk.as('support');
  }, 120_000);
  afterAll(() => desk.close());

  test('is gone from the host’s tables, and no row of anybody else has changed', async () => {
    const after = await rowsOfHost(desk);
    const changes: Record<string, { gone: number; come: number }> = {};
    for (const [table, was] of host) {
      const is = after.get(table) ?? new Set();
      const gone = [...was].filter((row) => !is.has(row));
      const come = [...is].filter((row) => !was.has(row));
      if (gone.length + come.length > 0) changes[table] = { gone: gone.length, come: come.length };
      // What goes leads to Acme itself, or to something of it that the row names; nothing of another workspace does.
      for (const row of gone)
        for (const other of [workspaceIds.borealis, workspaceIds.cedar]) expect(row).not.toContain(other);
    }
    expect(changes.users).toBeUndefined();
    expect(changes.plans).toBeUndefined();
    expect(changes.workspaces).toEqual({ gone: 1, come: 0 });
    // The law keeps invoices; the host's own key lets go of the workspace.
    expect(changes.invoices?.gone).toBe(changes.invoices?.come);
    for (const table of ['messages', 'workrooms', 'customers', 'memberships', 'integrations'])
      expect(
        await desk.db.behindTheScenes(`select 1 from atelier.${table} where workspace_id = $1 limit 1`, [
          acme,
        ]),
      ).toEqual([]);
    for (const [table, { come }] of Object.entries(changes))
      if (table !== 'invoices') expect({ table, come }).toEqual({ table, come: 0 });
  });

  test('its neighbours’ rows in Habeas are the same, byte for byte', async () => {
    expect(await neighbours(desk)).toEqual(others);
  });

  test('its files are gone by name', async () => {
    expect(files.length).toBeGreaterThan(3);
    const { OBJECT_STORES } = await import('../../src/storage/object-store.js');
    const stores = desk.app.get<import('../../src/storage/object-store.js').ObjectStores>(OBJECT_STORES, {
      strict: false,
    });
    for (const { bucket, path } of files) expect(await stores.bucket(bucket).stat(path)).toBeNull();
  });

  test('every owner of the start got one mail with the certificate, and nobody is known any more', async () => {
    await eventually(
      async () =>
        (await desk.mails()).filter(({ subject }) => /is deleted$/.test(subject ?? '')).length ===
        owners.length,
    );
    const mails = (await desk.mails()).filter(({ subject }) => /is deleted$/.test(subject ?? ''));
    expect(mails.flatMap(({ to }) => to?.map(({ address }) => address)).sort()).toEqual(owners);
    const [file] = mails[0]?.attachments ?? [];
    const keys = (await desk.anybody().get('/.well-known/habeas-keys.json')).body.keys;
    const text = typeof file?.content === 'string' ? file.content : new TextDecoder().decode(file?.content);
    certificate = checkCertificate(text, keys);
    const [purge] = await desk.db.behindTheScenes(
      'select told_sealed, purged_at is not null as purged from habeas.workspace_purges',
    );
    expect(purge).toEqual({ told_sealed: null, purged: true });
    expect(
      await desk.db.behindTheScenes('select 1 from habeas.outbox where recipient_sealed is not null'),
    ).toEqual([]);
  });

  test('the certificate counts what went, and names what stays with its ground', () => {
    expect(certificate).toMatchObject({
      scope: 'workspace',
      residues: 0,
      mentions: 0,
      final: true,
      requestId: request,
    });
    const of = (name: string) => certificate.collections.find(({ collection }) => collection === name);
    expect(of('workspace_profile')).toMatchObject({ rule: 'delete', rows: 1 });
    expect(of('attachments')).toMatchObject({ rule: 'delete', files: files.length });
    // A person's erasure would clear or pseudonymise these; here nobody is left for whom they would stay.
    expect(of('invitations_sent')).toMatchObject({ rule: 'delete' });
    expect(of('invoices')).toMatchObject({ rule: 'keep', ground: expect.stringContaining('§ 147 AO') });
    expect(JSON.stringify(certificate)).not.toContain('Acme');
  });

  test('the host’s token and staff can read it afterwards; its own token and owner find nothing', async () => {
    expect((await support.get(`/v1/workspaces/${acme}/requests/${request}/certificate`)).body).toEqual(
      certificate,
    );
    expect((await support.get(door)).body).toMatchObject({ status: 'purged' });
    expect((await desk.bearer(token).get(door)).status).toBe(401);
    expect((await (await desk.as('owner')).get(door)).status).toBe(404);
    const late = await support.post(`/v1/workspaces/${acme}/requests/${request}/notes`, { text: 'too late' });
    expect({ status: late.status, code: late.body.code }).toEqual({ status: 410, code: 'workspace.purged' });
  });

  test('its log keeps its events and no word of anybody, and the checkpoint fits it', async () => {
    const disclosed = await desk.db.behindTheScenes(
      `select e.action from habeas.event_disclosures d join habeas.events e on e.tenant_id = d.tenant_id and e.id = d.event_id
       where d.tenant_id = $1 and e.id <= (select id from habeas.events where tenant_id = $1 and action = 'workspace.purged')`,
      [acme],
    );
    expect(disclosed).toEqual([]);
    const events = await desk.db.behindTheScenes<{ action: string }>(
      'select action from habeas.events where tenant_id = $1 order by id',
      [acme],
    );
    const upTo = events.findIndex(({ action }) => action === 'workspace.purged') + 1;
    expect(certificate.checkpoint).toMatchObject({ tenant: acme, events: upTo });
    // What came later (staff's looks) is taken away for the comparison.
    const again = await desk.db.database.within(systemTenancy(acme, 'test'), async (tx) => {
      await tx.query('savepoint whole');
      return checkpointOf(tx, Signing.of(desk.config), new Date());
    });
    expect(again.events).toBe(events.length);
    await desk.db.behindTheScenes(
      `with late as (select id from habeas.events where tenant_id = $1 and id > (select id from habeas.events where tenant_id = $1 and action = 'workspace.purged')),
       d as (delete from habeas.event_disclosures where tenant_id = $1 and event_id in (select id from late))
       select 1`,
      [acme],
    );
    await desk.db.behindTheScenes(
      `delete from habeas.events where tenant_id = $1 and id > (select id from habeas.events where tenant_id = $1 and action = 'workspace.purged')`,
      [acme],
    );
    const then = await desk.db.database.within(systemTenancy(acme, 'test'), (tx) =>
      checkpointOf(tx, Signing.of(desk.config), new Date()),
    );
    expect(then.root).toBe(certificate.checkpoint?.root);
  });

  test('what Habeas itself kept of it is gone, but for what says that it was done', async () => {
    const left = await ownRows(desk);
    for (const table of goes) expect({ table, rows: left[table] ?? 0 }).toEqual({ table, rows: 0 });
    const [directory] = await desk.db.behindTheScenes('select * from habeas.workspaces where id = $1', [
      acme,
    ]);
    expect(directory).toEqual({
      id: acme, host_key: null, hostnames: [], region: null, region_chosen_at: null, plane: null, first_seen_at: null,
      purged_at: expect.any(Date),
    }); // prettier-ignore
    const personal = await desk.db.behindTheScenes(
      `select 1 from habeas.requests where tenant_id = $1 and num_nonnulls(mail_sealed, details_sealed, mail_digest, language) > 0`,
      [acme],
    );
    expect(personal).toEqual([]);
    const open = await desk.db.behindTheScenes(
      'select status, outcome from habeas.requests where tenant_id = $1 and closed_at is null',
      [acme],
    );
    expect(open).toEqual([]);
  });

  test('people who were only there keep their account, as this map says', async () => {
    const filed = await desk.db.behindTheScenes(`select 1 from habeas.requests where scope = 'account'`);
    expect(filed).toEqual([]);
    const [user] = await desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [member.userId],
    );
    expect(user?.email).toBe(member.mail);
  });

  test('a workspace that comes back under its key is met as one that is gone', async () => {
    await desk.db.behindTheScenes(
      `insert into atelier.workspaces (id, name, slug, plan_code, settings, created_at)
       select $1, 'Acme again', 'acme-again', plan_code, settings, now() from atelier.workspaces limit 1`,
      [acme],
    );
    await desk.db.behindTheScenes(`insert into atelier.memberships values ($1, $2, 'owner', null, now())`, [
      acme,
      owner.userId,
    ]);
    const again = await desk.as('owner');
    expect((await again.get(`/v1/workspaces/${acme}/requests`)).status).toBe(404);
    const directory = await desk.db.behindTheScenes(
      'select 1 from habeas.workspaces where id = $1 and host_key is null',
      [acme],
    );
    expect(directory).toHaveLength(1);
    await desk.db.behindTheScenes('delete from atelier.memberships where workspace_id = $1', [acme]);
    await desk.db.behindTheScenes('delete from atelier.workspaces where id = $1', [acme]);
  });

  test('and when its log’s retention ends, log and directory row go', async () => {
    const [{ at } = { at: new Date() }] = await desk.db.behindTheScenes<{ at: Date }>(
      'select log_ends_at as at from habeas.workspace_purges where tenant_id = $1',
      [acme],
    );
    desk.clock.advance(at.getTime() - desk.clock.now().getTime() - 1000);
    await desk.sweep();
    expect((await ownRows(desk)).events).toBeGreaterThan(0);
    desk.clock.advance(DAY);
    await desk.sweep();
    const left = await ownRows(desk);
    for (const table of ['events', 'workspaces', 'workspace_purges', 'pseudonyms', 'event_disclosures'])
      expect({ table, rows: left[table] ?? 0 }).toEqual({ table, rows: 0 });
  });

  test('no table of Habeas is forgotten about', async () => {
    const decided = [...goes, ...Object.keys(stays), 'workspaces'];
    expect((await tablesWithTenant(desk)).filter((table) => !decided.includes(table))).toEqual([]);
  });
});
