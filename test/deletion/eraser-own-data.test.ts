import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog } from '../../src/audit/events.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { forgetPeople, OwnData } from '../../src/deletion/own-data.js';
import { Sealing } from '../../src/keys/sealing.js';
import { FileTransport } from '../../src/mail/file-transport.js';
import { Outbox } from '../../src/mail/outbox.js';
import { samples } from '../mail/samples.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const [here, there] = ['20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000002'];
const [ada, bob] = [
  { kind: 'user', key: 'ada' },
  { kind: 'user', key: 'bob' },
];
const [earlier, current] = ['30000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000002'];

let db: TestDatabase;
let folder: string;
let outbox: Outbox;
const audit = new AuditLog();

beforeAll(async () => {
  db = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'own-'));
  const transport = new FileTransport(folder, 'Habeas <privacy@localhost>');
  outbox = new Outbox(db.database, new Sealing(Buffer.alloc(32)), new TestClock(), transport);
  for (const tenant of [here, there])
    for (const person of [ada, bob])
      for (let n = 0; n < 3; n += 1)
        await db.database.within(
          {
            tenant,
            actor: { type: 'person', subject: person, name: person.key },
            context: { ip: '203.0.113.9' },
          },
          (tx) => audit.record(tx, 'plan.changed', { subjects: [ada, bob] }),
        );
  for (const about of [earlier, current])
    await db.database.within(systemTenancy(here, 'test'), (tx) =>
      outbox.send(tx, {
        template: 'verify-identity',
        to: 'a@b.example',
        params: samples['verify-identity'],
        about,
      }),
    );
});
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

const state = async () => ({
  events: await db.behindTheScenes('select * from habeas.events order by tenant_id, id'),
  people: (
    await db.behindTheScenes<{ p: string }>(
      `select right(tenant_id::text, 1) || subject_key as p from habeas.pseudonyms order by 1`,
    )
  ).map(({ p }) => p),
  disclosures: Number(
    (await db.behindTheScenes<{ n: string }>('select count(*) as n from habeas.event_disclosures'))[0]?.n,
  ),
});

test('forgetting a person takes their disclosures and their mapping in the erased tenants, and no byte of any event', async () => {
  const before = await state();
  expect(before).toMatchObject({ people: ['1ada', '1bob', '2ada', '2bob'], disclosures: 24 });
  const forgotten: string[][] = [];
  const holding = {
    matters: () => Promise.resolve([earlier, current]),
    forget: (_: unknown, matters: readonly string[]) => {
      forgotten.push([...matters]);
      return Promise.resolve();
    },
  };
  const own = new OwnData(db.database, outbox, [holding]);
  await own.forget([here], [ada], current);
  await own.forget([here], [ada], current);
  const after = await state();
  expect(after).toMatchObject({ people: ['1bob', '2ada', '2bob'], disclosures: 18 });
  expect(after.events).toEqual(before.events);
  expect(forgotten).toEqual([[earlier], [earlier]]);
  expect(
    await db.behindTheScenes(
      'select about, status, recipient_sealed is null as wiped from habeas.outbox order by about',
    ),
  ).toEqual([
    { about: earlier, status: 'cancelled', wiped: true },
    { about: current, status: 'pending', wiped: false },
  ]);
});

test('nobody else may call the function, and nobody may delete what it deletes by hand', async () => {
  await expect(db.database.asSweep((tx) => tx.query(`select habeas.forget_people('[]', 1)`))).rejects.toThrow(
    'permission denied',
  );
  await expect(db.database.asHost((tx) => tx.query(`select habeas.forget_people('[]', 1)`))).rejects.toThrow(
    'permission denied',
  );
  await expect(
    db.database.within(systemTenancy(there, 'test'), (tx) =>
      tx.query('delete from habeas.event_disclosures'),
    ),
  ).rejects.toThrow('permission denied');
  await expect(db.database.asHost((tx) => forgetPeople(tx as never, [ada]))).rejects.toThrow();
  expect((await state()).people).toContain('2ada');
});
