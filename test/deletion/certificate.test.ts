import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectFile } from '../../src/config.js';
import {
  certificateText,
  finalCertificate,
  issueCertificate,
} from '../../src/deletion/certificate/certificate.js';
import { verifyCertificate } from '../../src/deletion/certificate/certificate.cli.js';
import { checkCertificate, readKeys } from '../../src/deletion/certificate/check.js';
import { type DomainError } from '../../src/errors.js';
import { signedBytes } from '../../src/keys/public-keys.js';
import { Signing } from '../../src/keys/signing.js';
import { vectorFacts, vectorKey } from './certificate-facts.js';

const vector = (name: string) => projectFile('test', 'deletion', 'vectors', name);
const read = (name: string) => readFileSync(vector(name), 'utf8');
const keys = readKeys(read('keys.json'));
const first = issueCertificate(vectorKey, vectorFacts);
const sweptAt = new Date('2026-12-20T12:00:00Z');

const verdictOn = (text: string): string => {
  try {
    checkCertificate(text, keys);
    return 'verified';
  } catch (error) {
    return (error as DomainError).code;
  }
};

describe('the test vectors', () => {
  const index = JSON.parse(read('index.json')) as { file: string; verdict: string; says: string }[];

  test.each(index)('$file is $verdict: $says', ({ file, verdict }) => {
    expect(verdictOn(read(file))).toBe(verdict);
  });

  test('are what this code issues, byte for byte', () => {
    expect(certificateText(first)).toBe(read('first.json'));
    expect(certificateText(issueCertificate(vectorKey, { ...vectorFacts, sweptAt }))).toBe(
      read('final.json'),
    );
    const { signature, ...document } = first;
    expect(signedBytes(document, signature).toString()).toBe(read('first.signed-bytes.txt'));
  });

  test('hold for anybody who knows Ed25519 and nothing of Habeas', () => {
    const [jwk] = (JSON.parse(read('keys.json')) as { keys: { kty: string; crv: string; x: string }[] }).keys;
    const key = createPublicKey({ key: jwk as { kty: 'OKP'; crv: string; x: string }, format: 'jwk' });
    const { sig } = (JSON.parse(read('first.json')) as { signature: { sig: string } }).signature;
    expect(
      verify(null, readFileSync(vector('first.signed-bytes.txt')), key, Buffer.from(sig, 'base64url')),
    ).toBe(true);
  });
});

describe('a certificate', () => {
  test('tells of collections, not of workspaces', () => {
    expect(first.collections.map(({ collection, rows, files }) => [collection, rows, files])).toEqual([
      ['messages', 42, 3],
      ['rooms', 2, 0],
      ['invoices', 5, 0],
      ['users', 1, 0],
    ]);
    expect(JSON.stringify(first)).not.toContain('"workspace":');
  });

  test('is final once nothing is left to be swept', () => {
    expect(first).toMatchObject({
      final: false,
      pendingSweeps: [{ collection: 'rooms', rows: 2, on: '2026-12-20' }],
    });
    const swept = issueCertificate(vectorKey, { ...vectorFacts, sweptAt });
    expect(finalCertificate(vectorKey, first, sweptAt)).toEqual(swept);
    expect(swept).toMatchObject({ final: true, pendingSweeps: [], issuedAt: '2026-12-20T12:00:00.000Z' });
    const outcomes = vectorFacts.outcomes.filter(({ rule }) => rule !== 'tombstone');
    expect(issueCertificate(vectorKey, { ...vectorFacts, outcomes })).toMatchObject({ final: true });
  });

  test('says by when versions of files are gone where the store may keep some, and nothing where it keeps none', () => {
    expect(first.storage).toEqual({ versionsGoneBy: null });
    const unknown = issueCertificate(vectorKey, { ...vectorFacts, mayHaveVersions: true });
    expect(unknown.storage).toEqual({ versionsGoneBy: unknown.backups.goneBy });
  });

  test('is not verified with any value of it changed, removed or added', () => {
    const signed = JSON.parse(certificateText(first)) as object;
    const changes = [...changesOf(signed)];
    expect(changes.length).toBeGreaterThan(100);
    for (const { at, changed } of changes)
      expect([at, verdictOn(JSON.stringify(changed))]).not.toEqual([at, 'verified']);
    expect(verdictOn(JSON.stringify(signed))).toBe('verified');
  });
});

describe('habeas certificate verify', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'habeas-certificate-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('says calmly what was erased', async () => {
    const { text, exitCode } = await verifyCertificate(vector('first.json'), vector('keys.json'));
    expect(exitCode).toBe(0);
    expect(text).toContain('VERIFIED  The signature fits');
    expect(text).toMatch(/messages +deleted +42 rows, 3 files/);
    expect(text).toContain(
      'Emptied, and still to be swept: 2 rows of rooms on 2026-12-20. A final certificate follows.',
    );
    expect(text).toContain('2 places in what others wrote');
  });

  test('shows nothing of a certificate that does not hold', async () => {
    const { text, exitCode } = await verifyCertificate(vector('count-changed.json'), vector('keys.json'));
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^NOT VERIFIED {2}The signature does not fit/);
    expect(text).not.toContain('messages');
  });

  test('explains an unknown key, a missing file and a key that is none', async () => {
    const unknown = await verifyCertificate(vector('unknown-key.json'), vector('keys.json'));
    expect(unknown.exitCode).toBe(1);
    expect(unknown.text).toContain('which is not among the 1 given');
    expect(unknown.text).toContain('/.well-known/habeas-keys.json');
    const missing = await verifyCertificate(join(folder, 'none.json'), vector('keys.json'));
    expect(missing.text).toContain('cannot be read');
    await writeFile(join(folder, 'key.json'), '{"kty": "RSA"}');
    const none = await verifyCertificate(vector('first.json'), join(folder, 'key.json'));
    expect([none.exitCode, none.text]).toEqual([1, expect.stringContaining('neither a JWK Set nor a JWK')]);
  });

  test('takes one key as well as a set, and a key from an address', async () => {
    const [key] = vectorKey.publicKeys;
    await writeFile(join(folder, 'one.json'), JSON.stringify(key));
    expect((await verifyCertificate(vector('first.json'), join(folder, 'one.json'))).exitCode).toBe(0);
    const server = createServer((_, answer) => answer.end(read('keys.json')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const address = `http://127.0.0.1:${port}/.well-known/habeas-keys.json`;
      expect((await verifyCertificate(vector('first.json'), address)).exitCode).toBe(0);
    } finally {
      server.close();
    }
    const plain = await verifyCertificate(vector('first.json'), 'http://privacy.example/keys.json');
    expect([plain.exitCode, plain.text]).toEqual([1, expect.stringContaining('without https')]);
  });

  test('lets no text of a stranger move the cursor', async () => {
    const { signature: _, ...document } = first;
    const own = new Signing(Buffer.alloc(32, 5));
    await writeFile(join(folder, 'keys.json'), JSON.stringify({ keys: own.publicKeys }));
    await writeFile(
      join(folder, 'evil.json'),
      JSON.stringify(own.sign({ ...document, law: '\u001b[2Jgdpr' })),
    );
    const { text, exitCode } = await verifyCertificate(join(folder, 'evil.json'), join(folder, 'keys.json'));
    expect(exitCode).toBe(1);
    expect(text).not.toContain('\u001b');
  });
});

/** The value with one thing in it changed, one by one: each leaf, each member gone or doubled, each list shortened. */
function* changesOf(value: unknown, at = ''): Generator<{ at: string; changed: unknown }> {
  if (Array.isArray(value)) {
    for (const [n, item] of value.entries()) {
      yield { at: `${at}[${n}] removed`, changed: value.filter((_, m) => m !== n) };
      yield { at: `${at}[${n}] doubled`, changed: [...value.slice(0, n), item, ...value.slice(n)] };
      for (const inner of changesOf(item, `${at}[${n}]`))
        yield { at: inner.at, changed: value.map((other: unknown, m) => (m === n ? inner.changed : other)) };
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { at: `${at} with one more`, changed: { ...value, more: 1 } };
    for (const [name, item] of Object.entries(value)) {
      yield {
        at: `${at}.${name} removed`,
        changed: Object.fromEntries(Object.entries(value).filter(([n]) => n !== name)),
      };
      for (const inner of changesOf(item, `${at}.${name}`))
        yield { at: inner.at, changed: { ...value, [name]: inner.changed } };
    }
  } else {
    if (value !== null) yield { at, changed: null };
    if (value === null) yield { at, changed: '2026-12-20' };
    if (typeof value === 'number') yield { at, changed: value + 1 };
    if (typeof value === 'boolean') yield { at, changed: !value };
    if (typeof value === 'string') {
      for (const n of [0, value.length - 1]) {
        const other = value[n] === '1' ? '2' : '1';
        yield { at, changed: `${value.slice(0, n)}${other}${value.slice(n + 1)}` };
      }
      yield { at, changed: `${value}x` };
    }
  }
}
