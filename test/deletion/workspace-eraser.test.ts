import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { type ForeignHost, foreignHost } from '../datamap/host.js';
import { difference, Situation } from './eraser-situation.js';

const stores = new LocalStores({
  root: '/nonexistent',
  publicUrl: 'http://localhost',
  key: Buffer.alloc(32),
});
const go = { shouldGoOn: () => Promise.resolve(), onIrreversible: () => Promise.resolve() };

describe('the purge of a workspace, where a law keeps rows that refer to others', () => {
  let host: ForeignHost;
  afterEach(() => host.drop());

  test('who is referred to stays, with no name and an address of their own, and the rest goes', async () => {
    host = await foreignHost('works');
    const situation = await Situation.of(host.database, host.map, stores);
    const { erasures, files, clock } = situation;
    const eraser = new WorkspaceEraser({
      ...{ database: host.database.database, host: situation.host, erasures, files },
      tombstoneDue: () => clock.now(),
    });
    const job = situation.job([], {
      scope: 'workspace',
      workspaces: ['1'],
      pseudonyms: { 'workspace:1': randomUUID() },
    });
    const users = () =>
      host.database.behindTheScenes<{ company: number; mail: string; first: string | null }>(
        'select "CompanyNo" as company, "E-Mail" as mail, "First Name" as first from "Works"."User" order by 1, 2',
      );
    const before = { rows: await situation.rows('Works'), users: await users() };
    await host.database.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraser.begin(tx, job));
    await eraser.run(job, go);
    await eraser.assertGone(job);
    const ofCompany = (all: Awaited<ReturnType<typeof users>>) => all.filter(({ company }) => company === 1);
    const after = await users();
    expect(ofCompany(after)).toHaveLength(ofCompany(before.users).length);
    const mails = ofCompany(after).map(({ mail }) => mail);
    for (const mail of mails) expect(mail).toMatch(/^deleted-[0-9a-f-]{36}@deleted\.invalid$/);
    expect(new Set(mails).size).toBe(mails.length);
    expect(after.filter(({ company }) => company !== 1)).toEqual(
      before.users.filter(({ company }) => company !== 1),
    );
    const changes = difference(before.rows, await situation.rows('Works'));
    const n = mails.length;
    expect(changes).toMatchObject({ '"Works"."User"': { gone: n, come: n } });
    expect(Object.keys(changes).sort()).toEqual(['"Works"."User"', '"Works".order_note']);
  });
});
