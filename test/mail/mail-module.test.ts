import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Clock } from '../../src/clock.js';
import { CONFIG, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { Sealing } from '../../src/keys/sealing.js';
import { MailModule } from '../../src/mail/mail.module.js';
import { Outbox } from '../../src/mail/outbox.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { samples } from './samples.js';
import { SmtpReceiver } from './smtp-receiver.js';

let db: TestDatabase;
let home: string;
beforeAll(async () => {
  db = await createDatabase();
  home = await mkdtemp(join(tmpdir(), 'habeas-mail-'));
});
afterAll(async () => {
  await db.drop();
  await rm(home, { recursive: true });
});

/** Sends one mail through the module as the application wires it. */
async function sendOne(environment: NodeJS.ProcessEnv): Promise<void> {
  const provided = [
    { provide: CONFIG, useValue: readConfig({ HABEAS_HOME: home, ...environment }) },
    { provide: Database, useValue: db.database },
    { provide: Sealing, useValue: new Sealing(randomBytes(32)) },
    { provide: Clock, useValue: new Clock() },
  ];
  class Ground {}
  Global()(Ground);
  Module({ providers: provided, exports: provided.map(({ provide }) => provide) })(Ground);
  const app = await Test.createTestingModule({ imports: [Ground, MailModule] }).compile();
  const outbox = app.get(Outbox);
  const id = await db.database.within(systemTenancy(HOST_TENANT, 'test'), (tx) =>
    outbox.send(tx, {
      template: 'request-withdrawn',
      to: 'maria@example.org',
      params: samples['request-withdrawn'],
    }),
  );
  expect(await outbox.deliver({ tenant: HOST_TENANT, id })).toEqual({ outcome: 'sent' });
  await app.close();
}

test('without SMTP_URL mails become files in HABEAS_HOME/outbox', async () => {
  await sendOne({});
  expect(await readdir(join(home, 'outbox'))).toEqual([expect.stringContaining('-request-withdrawn-')]);
});

test('with SMTP_URL they go to that server, from MAIL_FROM', async () => {
  const server = await SmtpReceiver.open();
  await sendOne({ SMTP_URL: server.url, MAIL_FROM: 'Atelier <privacy@atelier.example>' });
  expect(server.received.map(({ email }) => email.from)).toEqual([
    expect.objectContaining({ address: 'privacy@atelier.example' }),
  ]);
  expect(await readdir(join(home, 'outbox'))).toHaveLength(1);
  await server.close();
});
