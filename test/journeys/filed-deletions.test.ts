import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { TestDesk } from '../support/desk.js';

const { member } = demoPeople;
const will = { coolingOff: 'PT0S', waiveAccessLock: true };

let desk: TestDesk;
beforeAll(async () => {
  desk = await TestDesk.open();
});
afterAll(() => desk.close());

test('an owner files a member’s deletion with the member’s will in it; it runs when they have confirmed', async () => {
  const owner = await desk.as('owner');
  const requests = `/v1/workspaces/${workspaceIds.acme}/requests`;
  const person = { scope: 'person', subject: { kind: 'user', key: member.userId } };
  const filed = await owner.post(requests, { kind: 'deletion', ...person, ...will });
  expect({ status: filed.status, state: filed.body.status }).toEqual({ status: 201, state: 'verifying' });
  const support = await desk.as('support');
  const seen = await support.get(`${requests}/${filed.body.id}`);
  const told = seen.body.timeline.find(({ action }: { action: string }) => action === 'request.filed');
  expect(told.metadata).toMatchObject({ coolingOff: 'PT0S', waivesAccessLock: true });
  const token = await desk.linkTo(member.mail, 'p');
  await desk.anybody().post(`/p/${token}`, { action: 'confirm' }, { accept: 'application/json' });
  await desk.reached(support, `${requests}/${filed.body.id}`, 'fulfilled');
});

test('so does the desk; and neither goes with an access request', async () => {
  const support = await desk.as('support');
  const owner = await desk.as('owner');
  const letter = { mail: 'somebody@elsewhere.example', channel: 'letter' };
  const filed = await support.post('/v1/desk/requests', { kind: 'deletion', ...letter, ...will });
  expect(filed.status).toBe(201);
  const { timeline } = (await support.get(`/v1/workspaces/${HOST_TENANT}/requests/${filed.body.id}`)).body;
  const told = timeline.find(({ action }: { action: string }) => action === 'request.filed');
  expect(told.metadata).toMatchObject({ coolingOff: 'PT0S', waivesAccessLock: true });
  for (const term of [{ coolingOff: 'PT0S' }, { waiveAccessLock: true }]) {
    expect((await support.post('/v1/desk/requests', { kind: 'access', ...letter, ...term })).status).toBe(
      400,
    );
    const person = { kind: 'access', scope: 'person', subject: { mail: letter.mail } };
    const answer = await owner.post(`/v1/workspaces/${workspaceIds.acme}/requests`, { ...person, ...term });
    expect(answer.status).toBe(400);
  }
});
