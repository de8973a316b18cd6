import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { letDemoAuditorIn } from '../../src/app/demo-host.js';
import { Auditors } from '../../src/identity/auditors.js';
import { TestDesk } from '../support/desk.js';

let desk: TestDesk;
beforeAll(async () => {
  desk = await TestDesk.open({ work: false });
});
afterAll(() => desk.close());

const path = `/v1/workspaces/${workspaceIds.acme}`;
const letIn = () => letDemoAuditorIn(desk.app.get(Auditors, { strict: false }));
const granted = () =>
  desk.db.behindTheScenes(`select 1 from habeas.events where tenant_id = $1 and action = 'auditor.granted'`, [
    workspaceIds.acme,
  ]);

test('the demo’s auditor is let in once, however many services start at once, with its event', async () => {
  const auditor = await desk.as('auditor');
  expect((await auditor.get(`${path}/events`)).status).toBe(404);
  await Promise.all([letIn(), letIn(), letIn()]);
  await letIn();
  expect((await auditor.get(`${path}/events`)).status).toBe(200);
  expect(await granted()).toHaveLength(1);
});

test('and stays out once an owner took the grant back', async () => {
  const owner = await desk.as('owner');
  const { items } = (await owner.get(`${path}/auditors`)).body;
  expect(items).toMatchObject([{ userId: demoPeople.auditor.userId }]);
  expect((await owner.delete(`${path}/auditors/${items[0].id}`)).status).toBe(204);
  await letIn();
  expect((await (await desk.as('auditor')).get(`${path}/events`)).status).toBe(404);
  expect(await granted()).toHaveLength(1);
});
