import { expect, test } from '@jest/globals';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { workspaceId } from '../../src/datamap/workspace-id.js';
import { type Erased } from '../../src/dsar/recipients/recipient.js';
import { tasksFor } from '../../src/dsar/recipients/tasks.js';
import { mapWith } from './processor.js';

const [acme, borealis] = ['ac3e0000-0000-4000-8000-000000000001', 'b0ea1150-0000-4000-8000-000000000002'];
const map = parseDataMap(
  await mapWith(`
  whole: { title: Whole, kind: manual, identifiers: [mail] }
  anywhere: { title: Anywhere, kind: manual, scope: [account, person], identifiers: [mail] }
  messages: { title: Messages, kind: manual, collections: [messages], identifiers: [mail] }
  customers: { title: Customers, kind: manual, subjects: [customer], identifiers: [mail] }
  phone: { title: Phone, kind: manual, identifiers: [phone] }
  teams: { title: Teams, kind: manual, scope: [workspace] }
  sessions: { title: Sessions, kind: manual, when: start, subjects: [user] }
`),
  { file: 'test.yaml' },
);
const step = (collection: string, workspace?: string, more: Partial<Erased['steps'][number]> = {}) => ({
  collection,
  ...(workspace !== undefined && { workspace }),
  rule: 'delete' as const,
  rows: 1,
  ...more,
});
const erased: Erased = {
  requestId: 'r',
  tenant: HOST_TENANT,
  erasureId: 'e',
  scope: 'account',
  subjects: [{ kind: 'user', key: '7', identifiers: { id: '7', mail: 'm@x.example', phone: null } }],
  workspaces: [acme, borealis],
  steps: [step('users'), step('messages', acme), step('messages', borealis)],
};
const told = (changes: Partial<Erased>, when: 'start' | 'end' = 'end') =>
  tasksFor(map, { ...erased, ...changes }, when).map(
    ({ recipient, tenant }) => `${recipient.name} ${tenant}`,
  );

test('an account’s end is told once as a whole, and for each workspace to who had something from there', () => {
  expect(told({})).toEqual([
    `whole ${HOST_TENANT}`,
    `anywhere ${HOST_TENANT}`,
    `messages ${workspaceId(acme)}`,
    `messages ${workspaceId(borealis)}`,
  ]);
  expect(told({}, 'start')).toEqual([`sessions ${HOST_TENANT}`]);
});

test('what one workspace forgets never reaches who knows the person’s account', () => {
  const inAcme = {
    scope: 'person' as const,
    tenant: acme,
    workspaces: [acme],
    steps: [step('messages', acme)],
  };
  expect(told(inAcme)).toEqual([`anywhere ${workspaceId(acme)}`, `messages ${workspaceId(acme)}`]);
  expect(told(inAcme, 'start')).toEqual([]);
});

test('an account request whose account part stays is told by workspace', () => {
  const steps = [step('messages', acme), step('messages', borealis)];
  expect(told({ scope: 'person', steps })).toEqual([
    `anywhere ${workspaceId(acme)}`,
    `anywhere ${workspaceId(borealis)}`,
    `messages ${workspaceId(acme)}`,
    `messages ${workspaceId(borealis)}`,
  ]);
});

test('nobody is told of what stays, or was not there', () => {
  expect(told({ steps: [] })).toEqual([]);
  expect(told({ steps: [step('messages', acme, { rule: 'keep' })] })).toEqual([]);
  expect(told({ steps: [step('users'), step('messages', acme, { rows: 0, done: 0 })] })).not.toContain(
    `messages ${workspaceId(acme)}`,
  );
});

test('a workspace’s end is told without naming anybody', () => {
  const steps = [step('messages', acme)];
  const tasks = tasksFor(
    map,
    { ...erased, scope: 'workspace', tenant: acme, workspaces: [acme], subjects: [], steps },
    'end',
  );
  expect(tasks.map(({ recipient, facts }) => ({ name: recipient.name, facts }))).toEqual([
    { name: 'teams', facts: { people: [], workspace: { id: workspaceId(acme), key: acme }, through: 0 } },
  ]);
});

test('a recipient is given the identifiers that it declared, and no others', () => {
  const [whole] = tasksFor(map, erased, 'end');
  expect(whole?.facts.people).toEqual([{ kind: 'user', values: { mail: 'm@x.example' } }]);
});
