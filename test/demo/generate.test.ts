import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { generateAtelier, type Atelier, type AtelierSize } from '../../demo/generate.js';
import { demoPeople, formerMember, workspaceIds } from '../../demo/people.js';
import type { MessageRow } from '../../demo/rows.js';
import { unseal } from '../../demo/sealing.js';
import { edgeFileNames, edgeTexts, longText } from '../../demo/words.js';

const small: AtelierSize = { scale: 0.2, messages: 2000 };

/** Every row and every file, boiled down. */
function digest({ tables, objects }: Atelier): string {
  const hash = createHash('sha256');
  for (const rows of Object.values<Iterable<unknown>>(tables))
    for (const row of rows) hash.update(JSON.stringify(row));
  for (const { path, bytes } of objects) hash.update(path).update(bytes);
  return hash.digest('hex');
}

describe('the story of Atelier', () => {
  test('is the same every time it is told', () => {
    expect(digest(generateAtelier(small))).toBe(digest(generateAtelier(small)));
  });

  test('is another one with another seed', () => {
    expect(digest(generateAtelier({ ...small, seed: 'another' }))).not.toBe(digest(generateAtelier(small)));
  });

  test('grows with its scale, messages on their own if wanted', () => {
    const { tables } = generateAtelier({ scale: 2, messages: 10 });
    const { users, customers, workrooms, attachments, messages } = tables;
    expect([users.length, customers.length, workrooms.length]).toEqual([120, 80, 600]);
    expect([...messages]).toHaveLength(10);
    expect(attachments.length).toBeLessThanOrEqual(10);
    expect(new Set(users.map(({ email }) => email.toLowerCase())).size).toBe(120);
  });
});

describe('the demo', () => {
  const atelier = generateAtelier();
  const { tables, objects, plainText } = atelier;
  const messages: MessageRow[] = [...tables.messages];
  const { users, memberships, customers, workrooms, attachments, invoices } = tables;

  test('has the numbers that the issue names', () => {
    expect(tables.workspaces).toHaveLength(3);
    expect(users).toHaveLength(60);
    expect(customers).toHaveLength(40);
    expect(workrooms).toHaveLength(300);
    expect(messages).toHaveLength(30_000);
    expect(attachments).toHaveLength(500);
  });

  test('has every key once', () => {
    for (const rows of [users, customers, workrooms, messages, attachments, tables.integrations]) {
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    }
    expect(new Set(invoices.map(({ number }) => number)).size).toBe(invoices.length);
    expect(new Set(messages.map(({ body_nonce }) => body_nonce)).size).toBe(messages.length);
  });

  test('lets some people belong to two workspaces, and one who wrote to none any more', () => {
    const places = Map.groupBy(memberships, ({ user_id }) => user_id);
    expect([...places.values()].filter(({ length }) => length === 2).length).toBeGreaterThanOrEqual(5);
    expect(users.filter(({ id }) => !places.has(id)).map(({ id }) => id)).toEqual([formerMember.userId]);
    const written = messages.filter(({ author_id }) => author_id === formerMember.userId);
    expect(written.length).toBeGreaterThan(100);
    expect(written.every(({ sent_at }) => sent_at < '2025-06')).toBe(true);
  });

  test('has exactly one workspace with a sole owner', () => {
    const owners = (workspace: string) =>
      memberships.filter(({ workspace_id, role }) => workspace_id === workspace && role === 'owner').length;
    expect(Object.values(workspaceIds).map(owners)).toEqual([2, 1, 2]);
  });

  test.each(['owner', 'admin', 'member', 'viewer'] as const)(
    'gives %s that role in Acme, and messages',
    (name) => {
      const { userId, mail, displayName } = demoPeople[name];
      expect(memberships).toContainEqual(
        expect.objectContaining({ workspace_id: workspaceIds.acme, user_id: userId, role: name }),
      );
      expect(users).toContainEqual(
        expect.objectContaining({ id: userId, email: mail, display_name: displayName }),
      );
      expect(messages.filter(({ author_id }) => author_id === userId).length).toBeGreaterThan(20);
    },
  );

  test('keeps the people of the desk out of the product', () => {
    const staff = Object.values(demoPeople).filter((person) => person.staff);
    expect(staff.map(({ staff: roles }) => roles)).toEqual([['support'], ['privacy-lead']]);
    expect(users.filter(({ id }) => staff.some(({ userId }) => userId === id))).toEqual([]);
  });

  test('has people talk to each other: every room of several writers, replies within the room', () => {
    const writers = Map.groupBy(messages, ({ workroom_id }) => workroom_id);
    const crowded = [...writers.values()].filter(
      (room) => new Set(room.map(({ author_id }) => author_id)).size > 2,
    );
    expect(crowded.length).toBeGreaterThan(250);
    const byId = new Map(messages.map((message) => [message.id, message]));
    const replies = messages.filter(({ reply_to }) => reply_to !== null);
    expect(replies.length).toBeGreaterThan(5000);
    expect(replies.every((reply) => byId.get(reply.reply_to ?? '')?.workroom_id === reply.workroom_id)).toBe(
      true,
    );
  });

  test('has every customer write, and only to the workspace they belong to', () => {
    const home = new Map(customers.map(({ id, workspace_id }) => [id, workspace_id]));
    const written = messages.filter(({ customer_id }) => customer_id !== null);
    expect(new Set(written.map(({ customer_id }) => customer_id)).size).toBe(40);
    expect(
      written.every(({ customer_id, workspace_id }) => home.get(customer_id ?? '') === workspace_id),
    ).toBe(true);
  });

  test('knows one address as several subjects, spelled differently', () => {
    const addresses = customers.map(({ email }) => email.toLowerCase());
    expect(addresses).toContain(demoPeople.member.mail);
    expect(addresses.filter((mail) => mail === 'two.places@customers.example')).toHaveLength(2);
    expect(users.some(({ email }) => email !== email.toLowerCase())).toBe(true);
  });

  test('seals every body so that only Atelier reads it, whatever was written', () => {
    const opened = messages
      .slice(0, 6000)
      .map(({ body_sealed, body_nonce }) => unseal({ sealed: body_sealed, nonce: body_nonce }));
    expect(opened.every((body, index) => body === plainText(index))).toBe(true);
    expect([...edgeTexts, longText].filter((text) => !opened.includes(text))).toEqual([]);
    expect(longText.length).toBe(200_000);
  });

  test('speaks six languages in five scripts, and emoji joined from several', () => {
    const all = messages
      .slice(0, 3000)
      .map((_, index) => plainText(index))
      .join('\n');
    for (const script of [
      /\p{Script=Latin}/u,
      /\p{Script=Arabic}/u,
      /\p{Script=Hebrew}/u,
      /\p{Script=Hiragana}/u,
    ]) {
      expect(all).toMatch(script);
    }
    expect(all).toMatch(/ß/);
    expect(all).toMatch(/👩🏾‍💻|👨‍👩‍👧‍👦/u);
  });

  test('holds what breaks programs: no value, empty ones, quotes, big integers, money, arrays, json', () => {
    const seen = JSON.stringify([users, customers, workrooms, tables.workroom_invitations, invoices]);
    for (const text of edgeTexts) expect(seen).toContain(JSON.stringify(text));
    expect(users.map(({ storage_bytes }) => storage_bytes)).toEqual(
      expect.arrayContaining(['9007199254740993', '9223372036854775807']),
    );
    expect(messages.every(({ id }) => BigInt(id) > 2n ** 53n && BigInt(id) < 2n ** 63n)).toBe(true);
    expect(seen).toContain('"quota":12345678901234567890123');
    expect(invoices.map(({ amount }) => amount)).toEqual(
      expect.arrayContaining(['90071992547409931.10', '75.375', '-49.00', '29800']),
    );
    for (const column of [
      'language',
      'country',
      'phone',
      'password_hash',
      'byok_key_sealed',
      'last_seen_at',
    ] as const) {
      const missing = users.filter((user) => user[column] === null).length;
      expect([column, missing > 0 && missing < users.length]).toEqual([column, true]);
    }
    expect(users.some(({ display_name }) => display_name === '')).toBe(true);
    expect(users.some(({ tags }) => tags.includes('comma, inside') && tags.includes(''))).toBe(true);
    expect(messages.some(({ mentioned }) => mentioned?.length === 0)).toBe(true);
    expect(messages.some(({ mentioned }) => mentioned?.length === 2)).toBe(true);
  });

  test('never holds U+0000, which Postgres cannot store', () => {
    expect(JSON.stringify({ ...tables, messages })).not.toContain(String.raw`\u0000`);
  });

  test('has files of four kinds with the bytes they claim, and some that the store lost', () => {
    const stored = new Map(objects.map(({ path, bytes }) => [path, bytes]));
    expect(attachments.length - stored.size).toBe(5);
    const heads = {
      'image/png': '\x89PNG\r\n',
      'application/pdf': '%PDF-1.4',
      'text/plain': '',
      'text/csv': '',
    };
    for (const { path, bytes, media_type } of attachments.filter((row) => stored.has(row.path))) {
      const content = stored.get(path);
      expect(String(content?.length)).toBe(bytes);
      expect(content?.toString('latin1')).toMatch(new RegExp(`^${heads[media_type as keyof typeof heads]}`));
    }
    expect(objects.some(({ bytes }) => bytes.length === 0)).toBe(true);
    expect(objects.some(({ bytes }) => bytes.length > 200_000)).toBe(true);
  });

  test('has nasty file names in a column, and only safe ones in the store', () => {
    const names = attachments.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...edgeFileNames]));
    expect(names.some((name) => Buffer.byteLength(name) > 255)).toBe(true);
    expect(
      attachments.every(({ path }) => /^[0-9a-f-]{36}\/[0-9a-f-]{36}\.(txt|csv|png|pdf)$/.test(path)),
    ).toBe(true);
  });
});
