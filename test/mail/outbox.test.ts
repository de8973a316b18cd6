import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Database } from '../../src/database/database.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { Sealing } from '../../src/keys/sealing.js';
import { type NewMail, Outbox } from '../../src/mail/outbox.js';
import { type Bounce, type MailRef } from '../../src/mail/postman.js';
import { SmtpTransport } from '../../src/mail/smtp-transport.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { samples } from './samples.js';
import { OddServer, refusal, SmtpReceiver } from './smtp-receiver.js';

const acme = '10000000-0000-4000-8000-00000000acee';
const other = '10000000-0000-4000-8000-00000000feed';
const person = 'maria@example.org';
const from = 'Atelier <privacy@atelier.example>';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const patient = { connect: 2_000, greeting: 2_000, socket: 5_000, total: 5_000 };
const impatient = { connect: 500, greeting: 100, socket: 300, total: 400 };

let db: TestDatabase;
let clock: TestClock;
let outbox: Outbox;
let bounces: Bounce[];
let closing: (() => Promise<unknown>)[];
const sealing = new Sealing(randomBytes(32));

beforeAll(async () => {
  db = await createDatabase();
});
afterAll(() => db.drop());

beforeEach(async () => {
  await db.behindTheScenes('truncate habeas.outbox');
  clock = new TestClock();
  bounces = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** An outbox that sends to this address, as a worker of its own would have it. */
function outboxTo(url: string, { timeouts = patient, database = db.database } = {}): Outbox {
  const transport = new SmtpTransport(url, from, timeouts);
  closing.push(() => transport.close());
  const made = new Outbox(database, sealing, clock, transport, () => 0.5);
  made.onBounce((_tx, bounce) => {
    bounces.push(bounce);
    return Promise.resolve();
  });
  return made;
}

async function receiver(...options: Parameters<typeof SmtpReceiver.open>): Promise<SmtpReceiver> {
  const opened = await SmtpReceiver.open(...options);
  closing.push(() => opened.close());
  outbox = outboxTo(opened.url);
  return opened;
}

async function oddServer(talk: Parameters<typeof OddServer.open>[0], timeouts = patient): Promise<void> {
  const opened = await OddServer.open(talk);
  closing.push(() => opened.close());
  outbox = outboxTo(opened.url, { timeouts });
}

const ready = (changes: Partial<NewMail<'package-ready'>> = {}): NewMail<'package-ready'> => ({
  template: 'package-ready',
  to: person,
  params: samples['package-ready'],
  ...changes,
});

async function send(mail = ready(), tenant = acme): Promise<MailRef> {
  const id = await db.database.within(systemTenancy(tenant, 'test'), (tx) => outbox.send(tx, mail));
  return { tenant, id };
}

interface Row {
  status: string;
  failure: string | null;
  attempts: number;
  wiped: boolean;
  next_attempt_at: Date;
}
const rowOf = async ({ id }: MailRef): Promise<Row | undefined> =>
  (
    await db.behindTheScenes<Row>(
      `select status, failure, attempts, next_attempt_at,
              recipient_sealed is null and params_sealed is null as wiped
         from habeas.outbox where id = $1`,
      [id],
    )
  )[0];

const dueNow = async (): Promise<MailRef[]> => {
  const found: MailRef[] = [];
  for await (const mail of outbox.due()) found.push(mail);
  return found;
};

describe('a mail in the outbox', () => {
  test('exists exactly if the change that it tells of does', async () => {
    await receiver();
    const queued: MailRef[] = [];
    outbox.onQueued((_tx, mail) => Promise.resolve(void queued.push(mail)));
    const failing = db.database.within(systemTenancy(acme, 'test'), async (tx) => {
      await outbox.send(tx, ready());
      throw new Error('the change failed');
    });
    await expect(failing).rejects.toThrow('the change failed');
    expect(await dueNow()).toEqual([]);

    const mail = await send();
    expect(await dueNow()).toEqual([mail]);
    expect(queued.at(-1)).toEqual(mail);
  });

  test('holds neither the address nor a parameter in clear', async () => {
    await receiver();
    await send(ready({ language: 'maria@example.org' }));
    const [row] = await db.behindTheScenes<{ text: string; bytes: string }>(
      `select o::text as text, encode(recipient_sealed || params_sealed, 'escape') as bytes from habeas.outbox o`,
    );
    for (const secret of [person, 'maria', samples['package-ready'].link, 'Atelier', 'Messages']) {
      expect(row?.text).not.toContain(secret);
      expect(row?.bytes).not.toContain(secret);
    }
  });

  test('is written once per key in a tenant, also by two at the same moment', async () => {
    await receiver();
    const mail = ready({ dedupeKey: 'package-ready/1' });
    const [first, second] = await Promise.all([send(mail), send(mail)]);
    expect(second.id).toBe(first.id);
    expect((await send(mail)).id).toBe(first.id);
    expect((await send(mail, other)).id).not.toBe(first.id);
    expect(await dueNow()).toHaveLength(2);
  });

  test('keeps nobody’s name in what it is written once by', async () => {
    await send(ready({ dedupeKey: `approval/1/${person}` }));
    const rows = await db.behindTheScenes<{ text: string }>('select o::text as text from habeas.outbox o');
    expect(rows.map(({ text }) => text).join('\n')).not.toContain(person);
  });

  test('is neither sent nor cancelled from another tenant', async () => {
    const server = await receiver();
    const about = randomUUID();
    const mail = await send(ready({ about }));
    expect(await outbox.deliver({ tenant: other, id: mail.id })).toEqual({ outcome: 'not_due' });
    const elsewhere = systemTenancy(other, 'test');
    expect(await db.database.within(elsewhere, (tx) => outbox.cancel(tx, about))).toBe(0);
    expect(server.received).toEqual([]);
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
  });

  test('that is cancelled is wiped and never sent', async () => {
    const server = await receiver();
    const about = randomUUID();
    const mail = await send(ready({ about }));
    const unrelated = await send(ready({ about: randomUUID() }));
    expect(await db.database.within(systemTenancy(acme, 'test'), (tx) => outbox.cancel(tx, about))).toBe(1);
    expect(await rowOf(mail)).toMatchObject({ status: 'cancelled', wiped: true });
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'not_due' });
    expect(await dueNow()).toEqual([unrelated]);
    expect(server.received).toEqual([]);
  });

  test('is found by the sweep, oldest first, across tenants and pages', async () => {
    await receiver();
    await db.behindTheScenes(
      `insert into habeas.outbox (tenant_id, template, recipient_sealed, params_sealed, created_at, next_attempt_at)
       select case when n % 2 = 0 then $1::uuid else $2::uuid end, 'package-ready', '\\x00', '\\x00', $3,
              $3::timestamptz - make_interval(mins => n / 700, secs => 0.000001)
         from generate_series(1, 1203) n`,
      [acme, HOST_TENANT, clock.now()],
    );
    const found = await dueNow();
    const expected = await db.behindTheScenes<MailRef>(
      'select tenant_id as tenant, id from habeas.outbox order by next_attempt_at, id',
    );
    expect(found).toEqual(expected);
    expect(found).toHaveLength(1203);
  });
});

describe('a mail server that accepts', () => {
  test('gets the letter once, as text and HTML, and the row is wiped', async () => {
    const server = await receiver();
    const mail = await send();
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'not_due' });

    expect(server.received).toHaveLength(1);
    const [{ recipients, email } = { recipients: [], email: undefined }] = server.received;
    expect(recipients).toEqual([person]);
    expect(email).toMatchObject({
      from: { address: 'privacy@atelier.example', name: 'Atelier' },
      to: [{ address: person }],
      subject: 'Your data from Atelier is ready',
      messageId: `<${mail.id}@atelier.example>`,
    });
    expect(email?.text).toContain(samples['package-ready'].link);
    expect(email?.html).toContain(`href="${samples['package-ready'].link}"`);
    expect(email?.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
    expect(await rowOf(mail)).toMatchObject({ status: 'sent', wiped: true, failure: null });
    expect(bounces).toEqual([]);
  });

  test('never gets the same mail from two workers at the same time', async () => {
    const server = await receiver();
    const elsewhere = await Database.connect(db.url, 2);
    closing.push(() => elsewhere.close());
    const secondWorker = outboxTo(server.url, { database: elsewhere });
    for (let round = 0; round < 10; round++) {
      const mail = await send();
      const outcomes = await Promise.all([outbox.deliver(mail), secondWorker.deliver(mail)]);
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['not_due', 'sent']);
    }
    expect(server.received).toHaveLength(10);
  });

  test('that is still reading keeps no transaction open, and the mail for itself', async () => {
    const arrivals = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const held = Promise.withResolvers<undefined>();
    const server = await receiver({}, () => {
      arrivals[server.received.length - 1]?.resolve(undefined);
      return held.promise;
    });
    const mail = await send();
    const delivering = outbox.deliver(mail);
    await arrivals[0]?.promise;

    const [open] = await db.behindTheScenes<{ count: string }>(
      `select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'`,
    );
    expect(Number(open?.count)).toBe(0);
    clock.advance(4 * MINUTE);
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'not_due' });
    expect(await dueNow()).toEqual([]);

    // The same row as a worker that died in between leaves it: due again when its claim has ended.
    clock.advance(2 * MINUTE);
    expect(await dueNow()).toEqual([mail]);
    const repeating = outbox.deliver(mail);
    await arrivals[1]?.promise;
    held.resolve(undefined);
    expect(await Promise.all([delivering, repeating])).toEqual([{ outcome: 'sent' }, { outcome: 'sent' }]);
    // Receivers know the repeat by its Message-ID.
    const ids = server.received.map(({ email }) => email.messageId);
    expect(ids).toEqual([`<${mail.id}@atelier.example>`, `<${mail.id}@atelier.example>`]);
  });

  test.each([
    ['a name', { controller: 'Acme\r\nBcc: spy@evil.example\r\n\r\nInjected' }],
    ['a bare newline', { controller: 'Acme\nTo: spy@evil.example' }],
    ['a unicode line', { controller: 'Acme\u2028Bcc: spy@evil.example\u0085X: y' }],
    ['an encoded word', { controller: '=?utf-8?q?Acme=0D=0ABcc:_spy@evil.example?=' }],
  ])('gets no header that %s tried to smuggle in', async (_what, names) => {
    const server = await receiver();
    await outbox.deliver(await send(ready({ params: { ...samples['package-ready'], ...names } })));
    const { email, recipients, raw } = server.received[0] ?? {};
    expect(recipients).toEqual([person]);
    expect(email?.to).toEqual([expect.objectContaining({ address: person })]);
    expect(email?.bcc ?? []).toEqual([]);
    expect(email?.headers.map(({ key }) => key).sort()).toEqual([
      'auto-submitted',
      'content-language',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ]);
    expect(raw?.split('\r\n\r\n')[0]).not.toMatch(/^(bcc|x):/im);
  });

  test.each([
    'maria@example.org\r\nBcc: spy@evil.example',
    'maria@example.org, spy@evil.example',
    'Maria <maria@example.org>',
    'maria@example.org> SIZE=1\r\nRCPT TO:<spy@evil.example',
    '"maria spy"@example.org',
    'maria',
    '',
  ])('is not even asked about the address %j', async (to) => {
    const server = await receiver();
    const mail = await send(ready({ to }));
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'bounced', failure: 'mail.address_unusable' });
    expect(await rowOf(mail)).toMatchObject({ status: 'bounced', wiped: true });
    expect(server.received).toEqual([]);
  });

  test('gets mail for an address beyond ASCII', async () => {
    const server = await receiver();
    await outbox.deliver(await send(ready({ to: 'münchen@bücher.example' })));
    expect(server.received).toHaveLength(1);
  });
});

describe('a mail server that does not', () => {
  test('because it refuses the recipient: bounced at once, wiped, and told to whoever asked', async () => {
    const server = await receiver({ onRcptTo: (_address, _session, done) => done(refusal(550)) });
    const about = randomUUID();
    const mail = await send(ready({ about }));
    const failure = 'mail.recipient_refused';
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'bounced', failure });
    expect(bounces).toEqual([{ ...mail, about, template: 'package-ready', failure }]);
    expect(await rowOf(mail)).toMatchObject({ status: 'bounced', wiped: true, failure });
    expect(await dueNow()).toEqual([]);
    expect(server.received).toEqual([]);
  });

  test('because it refuses for now: tried again by the clock, and delivered once', async () => {
    let asked = 0;
    const server = await receiver({
      onRcptTo: (_address, _session, done) => done(++asked <= 2 ? refusal(451) : null),
    });
    const mail = await send();
    const first = await outbox.deliver(mail);
    expect(first).toEqual({
      outcome: 'postponed',
      until: new Date(clock.now().getTime() + MINUTE),
      failure: 'mail.deferred',
    });
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'not_due' });
    expect(await dueNow()).toEqual([]);

    clock.advance(MINUTE);
    expect(await dueNow()).toEqual([mail]);
    expect(await outbox.deliver(mail)).toMatchObject({ outcome: 'postponed' });
    clock.advance(2 * MINUTE - 1);
    expect(await dueNow()).toEqual([]);
    clock.advance(1);
    expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
    expect(server.received).toHaveLength(1);
    expect(bounces).toEqual([]);
  });

  test('because it refuses the message itself: bounced', async () => {
    await receiver({
      onData: (stream, _session, done) => {
        stream.resume().on('end', () => done(refusal(554)));
      },
    });
    expect(await outbox.deliver(await send())).toEqual({
      outcome: 'bounced',
      failure: 'mail.message_refused',
    });
  });

  test('because it is down: tried for three days with growing pauses, then given up', async () => {
    const server = await SmtpReceiver.open();
    const { url } = server;
    await server.close();
    outbox = outboxTo(url);
    const mail = await send();
    const start = clock.now().getTime();
    const pauses: number[] = [];
    let delivery = await outbox.deliver(mail);
    while (delivery.outcome === 'postponed') {
      expect(delivery.failure).toBe('mail.server_unreachable');
      pauses.push(delivery.until.getTime() - clock.now().getTime());
      clock.set(delivery.until);
      delivery = await outbox.deliver(mail);
    }
    expect(delivery).toEqual({ outcome: 'bounced', failure: 'mail.server_unreachable' });
    expect(pauses.slice(0, 4)).toEqual([MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]);
    expect(Math.max(...pauses)).toBe(6 * HOUR);
    const days = (clock.now().getTime() - start) / (24 * HOUR);
    expect(days).toBeGreaterThanOrEqual(3);
    expect(days).toBeLessThan(3.25);
    expect(bounces).toHaveLength(1);
    expect(await rowOf(mail)).toMatchObject({ status: 'bounced', wiped: true });
  });

  test('though the service was down for a week itself: tried all the same', async () => {
    const server = await SmtpReceiver.open();
    const { url } = server;
    await server.close();
    outbox = outboxTo(url);
    const mail = await send();
    clock.advance(7 * 24 * HOUR);
    expect(await outbox.deliver(mail)).toMatchObject({ outcome: 'postponed' });
  });

  test('because it never greets: given up in time and tried later', async () => {
    await oddServer(() => undefined, impatient);
    const mail = await send();
    expect(await outbox.deliver(mail)).toMatchObject({ outcome: 'postponed', failure: 'mail.server_slow' });
    expect(await rowOf(mail)).toMatchObject({ status: 'pending', wiped: false });
  });

  test('because it trickles its answers for ever: given up in time and tried later', async () => {
    let trickled = 0;
    await oddServer(
      (socket) => {
        socket.write('220 hello\r\n');
        const trickle = setInterval(() => socket.write('250-still thinking\r\n', () => trickled++), 20);
        socket.on('close', () => clearInterval(trickle));
      },
      // Only the whole of it is too long, and long enough for a busy machine to have begun.
      { ...patient, total: 2_000 },
    );
    const delivery = await outbox.deliver(await send());
    expect(delivery).toMatchObject({ outcome: 'postponed', failure: 'mail.server_slow' });
    expect(trickled).toBeGreaterThan(0);
  });

  test('because it hangs up in the middle: tried later, and not twice within one try', async () => {
    let connections = 0;
    await oddServer((socket) => {
      connections++;
      socket.write('220 hello\r\n');
      socket.once('data', () => socket.destroy());
    });
    expect(await outbox.deliver(await send())).toMatchObject({ outcome: 'postponed' });
    expect(connections).toBe(1);
  });

  test('because it refuses our login: that is the operator’s to mend, so nothing bounces', async () => {
    const server = await SmtpReceiver.open({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(refusal(535)),
    });
    closing.push(() => server.close());
    outbox = outboxTo(server.url.replace('smtp://', 'smtp://habeas:wrong@'));
    const delivery = await outbox.deliver(await send());
    expect(delivery).toMatchObject({ outcome: 'postponed', failure: 'mail.login_refused' });
  });

  test('because it cannot encrypt though encryption is required: nothing is handed over', async () => {
    const server = await receiver();
    outbox = outboxTo(`${server.url}/?requireTLS=true`);
    const delivery = await outbox.deliver(await send());
    expect(delivery).toMatchObject({ outcome: 'postponed', failure: 'mail.no_encryption' });
    expect(server.received).toEqual([]);
  });

  test('leaves no word of the server, which may quote the address, in the row', async () => {
    await receiver({ onRcptTo: (_address, _session, done) => done(refusal(451)) });
    const mail = await send();
    await outbox.deliver(mail);
    const [row] = await db.behindTheScenes<{ text: string }>('select o::text as text from habeas.outbox o');
    expect(row?.text).toContain('mail.deferred');
    expect(row?.text).not.toContain('maria');
  });
});

describe('a bounce', () => {
  test('whose listener fails is not lost: it is told again', async () => {
    await receiver({ onRcptTo: (_address, _session, done) => done(refusal(550)) });
    const mail = await send();
    let failing = true;
    outbox.onBounce(() => (failing ? Promise.reject(new Error('desk is busy')) : Promise.resolve()));
    await expect(outbox.deliver(mail)).rejects.toThrow('desk is busy');
    expect(await rowOf(mail)).toMatchObject({ status: 'pending' });

    failing = false;
    clock.advance(5 * MINUTE);
    expect(await outbox.deliver(mail)).toMatchObject({ outcome: 'bounced' });
  });
});

test('a mail that the wrong MASTER_KEY cannot open waits for the right one', async () => {
  const server = await receiver();
  const mail = await send();
  const transport = new SmtpTransport(server.url, from);
  closing.push(() => transport.close());
  const stranger = new Outbox(db.database, new Sealing(randomBytes(32)), clock, transport);
  expect(await stranger.deliver(mail)).toMatchObject({ outcome: 'postponed', failure: 'sealing.unreadable' });
  clock.advance(2 * MINUTE);
  expect(await outbox.deliver(mail)).toEqual({ outcome: 'sent' });
});
