import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Outbox } from '../../src/mail/outbox.js';
import { type MailRef } from '../../src/mail/postman.js';
import { refusal, SmtpReceiver } from '../mail/smtp-receiver.js';
import { TestDesk } from '../support/desk.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

let smtp: SmtpReceiver;
let refusesUs = false;
let desk: TestDesk;
beforeAll(async () => {
  // A mailbox that is over its quota, say.
  smtp = await SmtpReceiver.open({
    onMailFrom: (_address, _session, done) => done(refusesUs ? refusal(530) : null),
    onRcptTo: (_address, _session, done) => done(refusal(452)),
  });
  desk = await TestDesk.open({ environment: { SMTP_URL: smtp.url }, work: false, limits: [] });
}, 60_000);
afterAll(async () => {
  await desk.close();
  await smtp.close();
});

interface Waiting extends MailRef {
  dueAt: Date;
  writtenAt: Date;
}

/** The letter that says that a request has come in; other letters of the request are put aside. */
async function letterOf(person: 'member' | 'viewer'): Promise<{ request: string; mail: Waiting }> {
  const { body } = await (await desk.as(person)).post('/v1/me/requests', { kind: 'access' });
  const request = (body as { id: string }).id;
  const [mail] = await waiting(request);
  if (!mail) throw new Error('there is no letter');
  await desk.db.behindTheScenes('delete from habeas.outbox where id <> $1', [mail.id]);
  return { request, mail };
}

const waiting = (request: string) =>
  desk.db.behindTheScenes<Waiting>(
    `select tenant_id as tenant, id, next_attempt_at as "dueAt", created_at as "writtenAt"
       from habeas.outbox where about = $1 and status = 'pending' order by created_at, id`,
    [request],
  );

async function behind(): Promise<number> {
  const { body } = await desk.anybody().get<string>('/metrics');
  return Number(/^habeas_oldest_due_seconds\{kind="outbox"\} (.+)$/m.exec(body)?.[1]);
}

const deliver = (mail: MailRef) => desk.app.get(Outbox).deliver(mail);

test('a letter that a mailbox defers is late only while a try is due, and is on the desk when it is given up', async () => {
  const { request, mail } = await letterOf('viewer');
  desk.clock.advance(MINUTE);
  expect(await behind()).toBe(60);

  const began = desk.clock.now().getTime();
  expect(await deliver(mail)).toMatchObject({ outcome: 'postponed', failure: 'mail.deferred' });
  for (let [next] = await waiting(request); next; [next] = await waiting(request)) {
    expect(await behind()).toBe(0);
    desk.clock.set(new Date(next.dueAt.getTime() + 5 * MINUTE).toISOString());
    expect(await behind()).toBe(300);
    await deliver(mail);
  }
  expect(desk.clock.now().getTime() - began).toBeGreaterThanOrEqual(3 * DAY);
  expect(await behind()).toBe(0);
  const { body } = await (await desk.as('support')).get(`/v1/desk/requests?limit=50`);
  expect((body as { items: { id: string; failure: unknown }[] }).items).toContainEqual(
    expect.objectContaining({
      id: request,
      failure: expect.objectContaining({ message: expect.stringContaining('could not be delivered') }),
    }),
  );
});

test('what keeps every letter from leaving is our own matter: it counts from when the letter was written', async () => {
  const { mail } = await letterOf('member');
  refusesUs = true;
  expect(await deliver(mail)).toMatchObject({ outcome: 'postponed', failure: 'mail.sender_refused' });
  desk.clock.advance(10_000);
  expect(await behind()).toBe((desk.clock.now().getTime() - mail.writtenAt.getTime()) / 1000);
  expect(await behind()).toBeGreaterThanOrEqual(10);
});
