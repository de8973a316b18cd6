import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { RetentionSituation } from '../deletion/retention-situation.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { download } from './package.js';

const { acme, borealis } = workspaceIds;
const DAY = 86_400_000;

let desk: TestDesk;
let situation: RetentionSituation;
afterEach(() => desk.close());

const due = (workspace: string, person?: string) =>
  situation.count(
    `atelier.messages where workspace_id = $1 and sent_at <= $2 and ($3::uuid is null or author_id = $3)`,
    [workspace, new Date(desk.clock.now().getTime() - 30 * DAY), person ?? null],
  );

describe('what the map keeps for 30 days', () => {
  test('goes in every workspace of the host, also where nobody has ever come to us from', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'habeas-map-'));
    const file = join(folder, 'datamap.yaml');
    const yaml = await readFile('demo/datamap.yaml', 'utf8');
    await writeFile(file, yaml.replace('      after: sent_at\n', '      keep: P30D\n      after: sent_at\n'));
    desk = await TestDesk.open({ environment: { DATAMAP: file } });
    situation = new RetentionSituation(desk);
    await rm(folder, { recursive: true });
    expect(await situation.count('habeas.workspaces')).toBe(0);
    expect(await due(borealis)).toBeGreaterThan(0);
    await desk.sweep();
    await eventually(async () => (await due(acme)) + (await due(borealis)) === 0, 30_000);
    const [hosts, ours] = [
      await situation.count('atelier.workspaces'),
      await situation.count('habeas.workspaces'),
    ];
    expect(ours).toBe(hosts);
  });
});

describe('an access that is open', () => {
  const open = async () => {
    desk = await TestDesk.open();
    situation = new RetentionSituation(desk);
    const owner = await desk.as('owner');
    await owner.get(`/v1/workspaces/${acme}/retention`);
    await situation.keep(acme, 'messages', 'P30D');
  };
  /** Filed and built; the token of the link that was mailed. */
  const packaged = async () => {
    const me = await desk.as('member');
    const filed = await me.post('/v1/me/requests', { kind: 'access' });
    await desk.reached(me, `/v1/me/requests/${filed.body.id}`, 'fulfilled');
    return desk.linkTo(demoPeople.member.mail, 'd');
  };

  test('keeps the person’s rows until the package is downloaded, and it names the time that the workspace has set', async () => {
    await open();
    const token = await packaged();
    const theirs = await due(acme, demoPeople.member.userId);
    expect(theirs).toBeGreaterThan(0);
    await situation.run(acme);
    expect(await due(acme)).toBe(theirs);
    const { legalInformation } = (await download(desk, token)).manifest as any;
    const ofAcme = legalInformation.find(({ workspaceId }: any) => workspaceId === acme);
    const kept = ofAcme.items.find(({ code }: any) => code === 'retention');
    expect(kept.text).toContain('Messages you wrote: 30 days');
    await situation.run(acme);
    expect(await due(acme)).toBe(0);
  });

  test('keeps them until the link’s end where nobody fetches it', async () => {
    await open();
    await packaged();
    desk.clock.advance(7 * DAY - 1000);
    await situation.run(acme);
    const theirs = await due(acme, demoPeople.member.userId);
    expect(theirs).toBeGreaterThan(0);
    expect(await due(acme)).toBe(theirs);
    desk.clock.advance(DAY);
    await situation.run(acme);
    expect(await due(acme)).toBe(0);
  });

  test('of the whole workspace keeps everybody’s', async () => {
    await open();
    const owner = await desk.as('owner');
    const filed = await owner.post(`/v1/workspaces/${acme}/requests`, { kind: 'access', scope: 'workspace' });
    expect(filed.status).toBe(201);
    const path = `/v1/workspaces/${acme}/requests/${filed.body.id}`;
    await desk.reached(owner, path, 'fulfilled');
    const all = await due(acme);
    await situation.run(acme);
    expect(await due(acme)).toBe(all);
    const token = await desk.linkTo(demoPeople.owner.mail, 'd');
    await download(desk, token);
    await situation.run(acme);
    expect(await due(acme)).toBe(0);
  });
});
