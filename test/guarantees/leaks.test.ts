import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { tables } from './every-table.js';

const { acme } = workspaceIds;
/** Every value that is sent bears it, and nothing else does. */
const SENTINEL = 'zqsentinel';
const named = (what: string) => `${SENTINEL}-${what}`;

/**
 * Invariants 2 and 10. Logs carry ids and codes, never values; tokens are hashes; what Habeas keeps about a person
 * is sealed, or a disclosure that goes with the person.
 */
describe('what people send stays where it may be (invariants 2 and 10)', () => {
  let desk: TestDesk;
  let log = '';
  let answers = '';
  const secrets: string[] = [];
  beforeAll(async () => {
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += chunk.toString();
        done();
      },
    });
    desk = await TestDesk.open({ log: sink, limits: [] });
    await sendEverywhere();
  }, 60_000);
  afterAll(() => desk.close());

  async function sendEverywhere(): Promise<void> {
    const [owner, support, member] = [
      await desk.as('owner'),
      await desk.as('support'),
      await desk.as('member'),
    ];
    const mail = `${named('mail')}@example.org`;
    const at = `/v1/workspaces/${acme}`;
    const headers = () => ({
      'idempotency-key': named(randomUUID()),
      'user-agent': named('agent'),
      'x-request-id': `${named('id')}@x.example`,
      cookie: named('cookie'),
    });
    const post = async (who: Caller, path: string, body: unknown) => {
      const answer = await who.post(path, body, headers());
      if (answer.status >= 400) answers += JSON.stringify(answer.body);
      return answer;
    };
    const filed = await post(support, '/v1/desk/requests', {
      mail, channel: 'letter', requester: named('requester'), mandate: named('mandate'), workspaceId: acme, jurisdiction: 'DE',
    }); // prettier-ignore
    const request = `${at}/requests/${filed.body.id as string}`;
    await post(support, `${request}/notes`, { text: named('note') });
    await post(support, `${request}/pauses`, { reason: named('reason'), needed: named('needed') });
    await support.delete(`${request}/pauses`);
    await post(support, `${request}/extensions`, { reason: named('extension') });
    const proof = await desk.linkTo(mail, 'p');
    await desk
      .anybody()
      .post(`/p/${proof}`, { action: 'confirm' }, { accept: 'application/json', ...headers() });
    const manual = await post(support, '/v1/desk/requests', {
      mail: `${named('other')}@example.org`,
      channel: 'phone',
      workspaceId: acme,
    });
    await post(support, `${at}/requests/${manual.body.id as string}/verifications`, {
      method: 'manual',
      seen: named('seen'),
    });
    const refused = await post(support, '/v1/desk/requests', {
      mail: `${named('third')}@example.org`,
      channel: 'phone',
      jurisdiction: 'DE',
      workspaceId: acme,
    });
    for (const ground of ['manifestly_unfounded', 'identity_unproven', 'excessive'])
      await post(support, `${at}/requests/${refused.body.id as string}/refusals`, {
        ground,
        explanation: named('explanation'),
      });
    await owner.put(`${at}/controller`, {
      name: 'Acme',
      contact: named('contact'),
      dpo: named('dpo'),
      authority: 'BfDI',
    });
    const made = await post(owner, `${at}/tokens`, {
      name: named('token'),
      permissions: ['events:write', 'requests:write'],
    });
    const host = desk.bearer(made.body.token as string);
    await post(host, `${at}/events`, {
      action: 'plan.changed', actor: { type: 'person', id: named('host-id'), name: named('actor') },
      subjects: [{ id: named('host-subject'), name: named('subject') }],
      context: { ip: named('ip'), userAgent: named('agent') }, metadata: { note: `${named('metadata')} Text` },
    }); // prettier-ignore
    await post(host, `${at}/requests`, {
      kind: 'access',
      scope: 'person',
      subject: { mail: `${named('host')}@example.org` },
    });
    const own = await post(member, '/v1/me/requests', { kind: 'access' });
    await desk.reached(member, `/v1/me/requests/${own.body.id as string}`, 'fulfilled');
    const link = await desk.linkTo(demoPeople.member.mail, 'd');
    await desk.anybody().post(`/d/${link}`, undefined, { 'user-agent': named('agent') });
    secrets.push(proof, link, made.body.token as string);
    // What is refused, at every stage.
    const bad: [string, unknown][] = [
      ['/v1/me/requests', { kind: named('kind') }], ['/v1/me/requests', `{"${SENTINEL}": "${SENTINEL}`], [`/${SENTINEL}`, {}],
      ['/v1/desk/requests', { mail: named('no mail'), channel: named('channel') }], [`${at}/tokens`, { name: `${SENTINEL}\n`, permissions: [SENTINEL] }],
      [`${at}/auditors`, { mail: `${named('auditor')}@example.org` }], [`${at}/requests`, { kind: 'access', scope: 'person', subject: { kind: 'user', key: named('key') } }],
      [`/p/${SENTINEL}`, { action: 'confirm' }], [`/d/${SENTINEL}`, {}], ['/demo/sessions', { person: SENTINEL }],
    ]; // prettier-ignore
    for (const who of [owner, support, member, host, desk.bearer(named('credential'))]) {
      for (const [path, body] of bad) await post(who, path, body);
      for (const query of [`cursor=${SENTINEL}`, `actor=${SENTINEL}`, `limit=${SENTINEL}`]) {
        const answer = await who.get(`${at}/events?${query}`);
        if (answer.status >= 400) answers += JSON.stringify(answer.body);
      }
    }
    await desk.sweep();
  }

  test('no line of the log holds a value, a token or a person’s own data', () => {
    expect(log.split('\n').filter((line) => line.includes('answered')).length).toBeGreaterThan(60);
    const lines = log.split('\n').filter((line) => !line.includes('Server listening at'));
    expect(lines.filter((line) => line.toLowerCase().includes(SENTINEL))).toEqual([]);
    for (const text of [
      ...secrets,
      demoPeople.member.mail,
      demoPeople.member.displayName,
      demoPeople.member.userId,
      '127.0.0.1',
    ])
      expect(lines.filter((line) => line.includes(text))).toEqual([]);
  });

  test('no refusal repeats what was sent', () => {
    expect(answers.length).toBeGreaterThan(3000);
    expect(answers.toLowerCase()).not.toContain(SENTINEL);
  });

  test('in the tables it stands sealed, as a disclosure or as a key that erasure removes, and nowhere else', async () => {
    const found: string[] = [];
    for (const schema of ['habeas', 'habeas_jobs']) {
      const names =
        schema === 'habeas' ? await tables(desk.db) : ['job', 'queue', 'schedule', 'subscription'];
      for (const name of names) {
        const rows = await desk.db.behindTheScenes<{ row: Record<string, unknown> }>(
          `select to_jsonb(t) as row from ${schema}.${name} t`,
        );
        for (const { row } of rows)
          for (const [column, value] of Object.entries(row)) {
            // A manifest says whom a person can write to: the controller's own published profile.
            const text = JSON.stringify(value ?? null).replace(
              column === 'manifest' ? new RegExp(`${SENTINEL}-(contact|dpo)`, 'g') : /$^/,
              '',
            );
            // bytea as text is hex: what is not sealed would be readable in it.
            const readable = text + Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex').toString('latin1');
            if (readable.toLowerCase().includes(SENTINEL)) found.push(`${schema}.${name}.${column}`);
            for (const secret of secrets)
              if (readable.includes(secret)) found.push(`${schema}.${name}.${column} (secret)`);
          }
      }
    }
    // A token's name and the controller's own profile are not a person's; they are shown to the owner in lists.
    const open = [
      'api_tokens.name',
      'controllers.contact',
      'controllers.dpo',
      'event_disclosures.value',
      'pseudonyms.subject_key',
    ];
    expect([...new Set(found)].sort()).toEqual(open.map((name) => `habeas.${name}`));
  });

  test('jobs carry ids only', async () => {
    const jobs = await desk.db.behindTheScenes<{ data: Record<string, unknown> }>(
      'select data from habeas_jobs.job where data is not null',
    );
    expect(jobs.length).toBeGreaterThan(0);
    for (const { data } of jobs)
      for (const value of Object.values(data)) expect(String(value)).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a mail holds what it is meant to tell its reader, and what staff noted among themselves is in none', async () => {
    const raw = (await desk.mails())
      .map(({ text, html, subject, headers }) => JSON.stringify([text, html, subject, headers]))
      .join('\n');
    for (const told of ['reason', 'needed', 'extension']) expect(raw).toContain(named(told));
    for (const kept of ['note', 'seen', 'mandate', 'agent', 'cookie', 'token', 'ip', 'actor', 'metadata'])
      expect({ kept, found: raw.includes(named(kept)) }).toEqual({ kept, found: false });
  });
});
