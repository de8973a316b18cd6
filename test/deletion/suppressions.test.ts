import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type Subject } from '../../src/datamap/settings.js';
import { Suppressions } from '../../src/deletion/suppressions/suppressions.js';
import { type Caller, TestDesk } from '../support/desk.js';

const { acme, borealis } = { acme: demoPeople.owner.workspaceId, borealis: demoPeople.neighbour.workspaceId };
const erasedAt = new Date('2026-11-20T12:00:00Z');
const customer: Subject = {
  kind: 'customer',
  key: randomUUID(),
  identifiers: { mail: 'ada@lovelace.example', phone: '+4930123456' },
};
const user: Subject = {
  kind: 'user',
  key: randomUUID(),
  identifiers: { mail: 'grace@hopper.example', phone: null },
};
const guest: Subject = { kind: 'guest', key: 'guest@x.example', identifiers: { mail: 'guest@x.example' } };

describe('suppressions', () => {
  let desk: TestDesk;
  let inAcme: Caller;
  let inBorealis: Caller;
  let suppressions: Suppressions;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    suppressions = desk.app.get(Suppressions);
    inAcme = await importer('owner', acme);
    inBorealis = await importer('neighbour', borealis);
    await add(acme, [customer, guest]);
    await add(HOST_TENANT, [user]);
  });
  afterAll(() => desk.close());

  async function importer(owner: 'owner' | 'neighbour', workspace: string): Promise<Caller> {
    const token = { name: 'Import', permissions: ['suppressions:check'] };
    const { status, body } = await (await desk.as(owner)).post(`/v1/workspaces/${workspace}/tokens`, token);
    expect(status).toBe(201);
    return desk.bearer(body.token as string);
  }
  const add = (tenant: string, subjects: Subject[], erasureId = randomUUID(), at = erasedAt) =>
    desk.db.database.within(systemTenancy(tenant, 'test'), (tx) =>
      suppressions.add(tx, subjects, { erasureId, erasedAt: at }),
    );
  const ask = async (caller: Caller, workspace: string, identifiers: object[]) => {
    const { status, body } = await caller.post(`/v1/workspaces/${workspace}/suppressions/check`, {
      identifiers,
    });
    expect([status, body]).toEqual([200, { items: expect.any(Array) }]);
    return (body.items as { suppressed: boolean }[]).map(({ suppressed }) => suppressed);
  };
  const events = (tenant: string, action: string) =>
    desk.db.behindTheScenes<{ metadata: object; targets: { id: string }[] }>(
      'select metadata, targets from habeas.events where tenant_id = $1 and action = $2 order by id',
      [tenant, action],
    );

  test('know an erased person by any of their identifiers, however it is typed', async () => {
    const identifiers = [
      { mail: ' ADA@Lovelace.example' },
      { kind: 'customer', phone: '0049 30 / 123456' },
      { id: customer.key },
      { kind: 'user', mail: 'ada@lovelace.example' },
      { mail: 'guest@x.example' },
      { mail: 'charles@babbage.example' },
      { id: 'ada@lovelace.example' },
    ];
    expect(await ask(inAcme, acme, identifiers)).toEqual([true, true, true, false, true, false, false]);
  });

  test('of a workspace are unknown to any other; of an account are known to all', async () => {
    expect(
      await ask(inBorealis, borealis, [{ mail: 'ada@lovelace.example' }, { mail: 'grace@hopper.example' }]),
    ).toEqual([false, true]);
    expect(await ask(inAcme, acme, [{ id: user.key }])).toEqual([true]);
    const foreign = await inBorealis.post(`/v1/workspaces/${acme}/suppressions/check`, {
      identifiers: [{ id: 'x' }],
    });
    expect(foreign.status).toBe(404);
  });

  test('answer with the day, but not with that on which somebody left the host, and repeat no value', async () => {
    const { body } = await inAcme.post(`/v1/workspaces/${acme}/suppressions/check`, {
      identifiers: [
        { mail: 'ada@lovelace.example' },
        { mail: 'nobody@x.example' },
        { mail: 'grace@hopper.example' },
      ],
    });
    expect(body).toEqual({
      items: [{ suppressed: true, since: '2026-11-20' }, { suppressed: false }, { suppressed: true }],
    });
  });

  test('are asked by a token with that permission only', async () => {
    const path = `/v1/workspaces/${acme}/suppressions/check`;
    for (const person of ['owner', 'admin', 'member', 'support'] as const)
      expect((await (await desk.as(person)).post(path, { identifiers: [{ id: 'x' }] })).status).toBe(403);
    expect((await desk.anybody().post(path, { identifiers: [{ id: 'x' }] })).status).toBe(401);
  });

  test('take a thousand at once and refuse what is no question', async () => {
    const many = Array.from({ length: 1000 }, (_, n) => ({ mail: `person-${n}@example.org` }));
    expect(await ask(inAcme, acme, [...many.slice(1), { mail: 'ada@lovelace.example' }])).toHaveLength(1000);
    const refused = [
      [],
      [...many, { id: 'x' }],
      [{}],
      [{ mail: 'a@b.c', id: 'x' }],
      [{ mail: 'a@b.c', name: 'x' }],
    ];
    for (const identifiers of refused) {
      const { status, body } = await inAcme.post(`/v1/workspaces/${acme}/suppressions/check`, {
        identifiers,
      });
      expect([identifiers.length, status]).toEqual([identifiers.length, 400]);
      expect(JSON.stringify(body)).not.toContain('a@b.c');
    }
  });

  test('are hashes whose same mail differs from tenant to tenant', async () => {
    await add(borealis, [{ ...customer, key: randomUUID() }]);
    const rows = await desk.db.behindTheScenes<{ digest: Buffer; tenant_id: string }>(
      'select digest, tenant_id from habeas.suppressions',
    );
    expect(new Set(rows.map(({ digest }) => digest.toString('hex'))).size).toBe(rows.length);
    const all = await desk.db.behindTheScenes<{ row: string }>(
      'select s::text as row from habeas.suppressions s',
    );
    // Nothing as short as hex digits could spell by chance.
    for (const value of ['ada@', 'lovelace', '4930123456', customer.key])
      expect(JSON.stringify(all)).not.toContain(value);
  });

  test('are written once, and a later erasure moves the date', async () => {
    const again: Subject = {
      kind: 'customer',
      key: randomUUID(),
      identifiers: { mail: 'twice@x.example', phone: null },
    };
    const erasure = randomUUID();
    await add(acme, [again], erasure);
    await add(acme, [again], erasure);
    expect(
      (await events(acme, 'suppression.added')).filter(({ targets }) => targets[0]?.id === erasure),
    ).toHaveLength(1);
    await add(acme, [again], randomUUID(), new Date('2026-12-24T00:00:00Z'));
    await add(acme, [again], erasure);
    const { body } = await inAcme.post(`/v1/workspaces/${acme}/suppressions/check`, {
      identifiers: [{ mail: 'twice@x.example' }],
    });
    expect(body.items).toEqual([{ suppressed: true, since: '2026-12-24' }]);
  });

  test('are lifted for who legitimately comes back, with the reason in the log', async () => {
    const back: Subject = {
      kind: 'customer',
      key: randomUUID(),
      identifiers: { mail: 'back@x.example', phone: '+491' },
    };
    const erasure = randomUUID();
    await add(acme, [back], erasure);
    const lift = (tenant: string) =>
      desk.db.database.within(systemTenancy(tenant, 'test'), (tx) =>
        suppressions.lift(tx, [{ mail: 'Back@x.example' }], 'returned'),
      );
    expect(await lift(borealis)).toBe(0);
    expect(await lift(acme)).toBe(1);
    expect(await lift(acme)).toBe(0);
    expect(await ask(inAcme, acme, [{ mail: 'back@x.example' }, { phone: '+491' }])).toEqual([false, true]);
    expect(await events(acme, 'suppression.lifted')).toEqual([
      { metadata: { reason: 'returned', entries: 1 }, targets: [{ type: 'erasure', id: erasure }] },
    ]);
    expect(await events(borealis, 'suppression.lifted')).toEqual([]);
  });

  test('tell the log how many were asked about, and nothing of whom', async () => {
    const before = (await events(acme, 'suppression.checked')).length;
    await ask(inAcme, acme, [{ mail: 'ada@lovelace.example' }, { mail: 'nobody@x.example' }]);
    const checks = await events(acme, 'suppression.checked');
    expect(checks).toHaveLength(before + 1);
    expect(checks.at(-1)?.metadata).toEqual({ asked: 2, suppressed: 1 });
    const everything = await desk.db.behindTheScenes(
      'select e::text from habeas.events e union all select d::text from habeas.event_disclosures d',
    );
    expect(JSON.stringify(everything)).not.toContain('lovelace');
  });

  test('go with the transaction that adds them', async () => {
    const subject: Subject = {
      kind: 'guest',
      key: 'undone@x.example',
      identifiers: { mail: 'undone@x.example' },
    };
    const work = desk.db.database.within(systemTenancy(acme, 'test'), async (tx) => {
      await suppressions.add(tx, [subject], { erasureId: randomUUID(), erasedAt });
      throw new Error('the erasure failed');
    });
    await expect(work).rejects.toThrow('the erasure failed');
    expect(await ask(inAcme, acme, [{ mail: 'undone@x.example' }])).toEqual([false]);
  });
});
