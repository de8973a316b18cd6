import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Sealing } from '../../src/keys/sealing.js';
import { FileTransport } from '../../src/mail/file-transport.js';
import { Outbox } from '../../src/mail/outbox.js';
import { type MailRef } from '../../src/mail/postman.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { samples } from './samples.js';

const tenant = '10000000-0000-4000-8000-00000000acee';
const sealing = new Sealing(randomBytes(32));
let db: TestDatabase;
let home: string;
let folder: string;
let clock: TestClock;
let outbox: Outbox;

beforeAll(async () => {
  db = await createDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-mail-'));
  folder = join(home, 'outbox');
  clock = new TestClock();
  outbox = new Outbox(db.database, sealing, clock, new FileTransport(folder, 'Habeas <privacy@localhost>'));
});
afterEach(() => rm(home, { recursive: true }));

const send = async (): Promise<MailRef> => ({
  tenant,
  id: await db.database.within(systemTenancy(tenant, 'test'), (tx) =>
    outbox.send(tx, {
      template: 'verify-identity',
      to: 'maria@example.org',
      params: samples['verify-identity'],
    }),
  ),
});

test('a mail becomes one private file with a name that people can read', async () => {
  const mail = await send();
  expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
  const [name = '', ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect(name).toBe(`2026-11-20T12-00-00Z-verify-identity-${mail.id.slice(-8)}.eml`);
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);

  const email = await PostalMime.parse(await readFile(join(folder, name)));
  expect(email.to).toEqual([expect.objectContaining({ address: 'maria@example.org' })]);
  expect(email.text).toContain(samples['verify-identity'].link);
  expect(email.html).toContain('Confirm this request');
});

test('a worker killed after writing and before marking leaves one file, byte for byte the same when repeated', async () => {
  const mail = await send();
  const sealed = await db.behindTheScenes<{ recipient_sealed: Buffer; params_sealed: Buffer }>(
    'select recipient_sealed, params_sealed from habeas.outbox where id = $1',
    [mail.id],
  );
  await outbox.deliver(mail);
  const [name = ''] = await readdir(folder);
  const before = await readFile(join(folder, name));
  // The row as the killed worker left it.
  await db.behindTheScenes(
    `update habeas.outbox set status = 'pending', sent_at = null, recipient_sealed = $2, params_sealed = $3 where id = $1`,
    [mail.id, sealed[0]?.recipient_sealed, sealed[0]?.params_sealed],
  );
  clock.advance(3 * 3600_000);
  expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
  expect(await readdir(folder)).toEqual([name]);
  expect(await readFile(join(folder, name))).toEqual(before);
});

test('a folder that cannot be written postpones the mail', async () => {
  await writeFile(folder, 'in the way');
  expect(await outbox.deliver(await send())).toMatchObject({
    outcome: 'postponed',
    failure: 'mail.not_written',
  });
});

test('a sender that is not one address stops the start', () => {
  for (const from of [
    'Habeas',
    'a@example.org, b@example.org',
    'X <a@example.org\r\nBcc: b@example.org>',
    '',
  ]) {
    expect(() => new FileTransport(folder, from)).toThrow('MAIL_FROM must be one address');
  }
});
