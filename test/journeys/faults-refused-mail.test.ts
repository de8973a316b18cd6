import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { refusal, SmtpReceiver } from '../mail/smtp-receiver.js';
import { eventually } from '../support/eventually.js';
import { FaultyDesk } from './faulty-desk.js';

let faulty: FaultyDesk;
let smtp: SmtpReceiver;
beforeAll(async () => {
  smtp = await SmtpReceiver.open({
    onRcptTo: (_address, _session, done) => done(refusal(550)),
  });
  faulty = await FaultyDesk.open({ SMTP_URL: smtp.url });
});
afterAll(async () => {
  await faulty.desk.close();
  await smtp.close();
});

test('a mail server that refuses the person fails no request: it is fulfilled, and on the desk because of the mail', async () => {
  const id = await faulty.file('viewer');
  const { attempts } = await faulty.fulfilled(id);
  expect(attempts).toBe(0);
  const shown = await eventually(async () => {
    const its = await faulty.onDesk(id);
    return its?.status === 'fulfilled' ? its : undefined;
  });
  expect(shown).toMatchObject({
    outcome: 'full',
    failure: { message: expect.stringContaining('could not be delivered') },
  });
  expect(JSON.stringify(shown)).not.toContain('maria@example.org');
  expect(smtp.received).toEqual([]);
  expect(await faulty.stored(id)).toHaveLength(1);
  const bounced = await eventually(async () => {
    const rows = await faulty.desk.db.behindTheScenes<{ template: string; wiped: boolean }>(
      `select template, recipient_sealed is null and params_sealed is null as wiped from habeas.outbox
       where about = $1 and status = 'bounced' and template = 'package-ready'`,
      [id],
    );
    return rows.length > 0 ? rows : undefined;
  });
  expect(bounced).toEqual([{ template: 'package-ready', wiped: true }]);
});
