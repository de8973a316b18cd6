import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ErasureLedger, ledgerBucket } from '../../src/deletion/ledger/ledger.js';
import { LEDGER_FORMAT, type LedgerEntry } from '../../src/deletion/ledger/entry.js';
import { Signing } from '../../src/keys/signing.js';
import { LocalStores } from '../../src/storage/local-store.js';

let home: string;
let ledger: ErasureLedger;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-ledger-once-'));
  const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  ledger = new ErasureLedger(stores, 'dsar-exports', new Signing(Buffer.alloc(32, 1)));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const folder = () => join(home, ledgerBucket('dsar-exports'));
const nameOf = ({ completedAt, erasureId }: LedgerEntry) =>
  `erasures/2026/11/${completedAt.replaceAll(':', '')}-${erasureId}.json`;
const fileOf = (entry: LedgerEntry) => join(folder(), nameOf(entry));
const pointerTo = (entry: string) => JSON.stringify({ format: 'habeas-erasure-ledger-pointer/1', entry });
const digest = (letter: string) => letter.repeat(43);
const entryOf = (): LedgerEntry => ({
  format: LEDGER_FORMAT,
  erasureId: randomUUID(),
  jobId: randomUUID(),
  tenant: randomUUID(),
  scope: 'account',
  completedAt: '2026-11-20T12:00:00.000Z',
  dataMap: 'map of before',
  workspaces: [],
  subjects: [{ kind: 'user', key: '7', identifiers: { mail: digest('a') }, pseudonym: randomUUID() }],
});
const entries = async () => {
  const all = [];
  for await (const found of ledger.entries()) all.push(found);
  return all;
};

test('a data map that changes between the writing and the next attempt is no conflict: what was written first stands', async () => {
  const first = entryOf();
  await ledger.write(first);
  const [person] = first.subjects;
  const again: LedgerEntry = {
    ...first,
    dataMap: 'map of now',
    subjects: person ? [{ ...person, identifiers: { mail: digest('a'), phone: digest('b') } }] : [],
  };
  expect(await ledger.write(again)).toEqual(first);
  expect(await entries()).toMatchObject([{ entry: first }]);
});

test('another erasure in its place is one, whatever else they have in common', async () => {
  const first = entryOf();
  await ledger.write(first);
  for (const other of [
    { ...first, jobId: randomUUID() },
    { ...first, tenant: randomUUID() },
    { ...first, subjects: first.subjects.map((one) => ({ ...one, pseudonym: randomUUID() })) },
  ])
    await expect(ledger.write(other)).rejects.toMatchObject({ code: 'ledger.conflict' });
});

describe('an entry is found by its request', () => {
  test('whatever it is of, and not by any other request', async () => {
    const entry = entryOf();
    expect(await ledger.ofRequest(entry.jobId)).toBeUndefined();
    await ledger.write(entry);
    expect(await ledger.ofRequest(entry.jobId)).toEqual(entry);
    expect(await ledger.ofRequest(randomUUID())).toBeUndefined();
  });

  test('a pointer whose entry was never written says nothing, and is put right by the entry', async () => {
    const entry = entryOf();
    await ledger.write(entry);
    await rm(fileOf(entry));
    expect(await ledger.ofRequest(entry.jobId)).toBeUndefined();
    const later = { ...entry, erasureId: randomUUID(), completedAt: '2026-11-20T13:00:00.000Z' };
    await ledger.write(later);
    expect(await ledger.ofRequest(entry.jobId)).toEqual(later);
  });

  test.each([
    ['no JSON', () => 'ruined'],
    ['no pointer', () => '{"entry": 1}'],
    ['a way out of the folder', () => pointerTo('../../dsar-exports/x.json')],
    ['a pointer to the entry of another request', (other: LedgerEntry) => pointerTo(nameOf(other))],
  ])('%s in its place is not taken for an answer', async (_, content) => {
    const [entry, other] = [entryOf(), entryOf()];
    await ledger.write(entry);
    await ledger.write(other);
    await writeFile(join(folder(), 'requests', `${entry.jobId}.json`), content(other));
    await expect(ledger.ofRequest(entry.jobId)).rejects.toMatchObject({ code: 'ledger.unreadable' });
  });

  test('nor is an entry that somebody has changed', async () => {
    const entry = entryOf();
    await ledger.write(entry);
    const text = await readFile(fileOf(entry), 'utf8');
    await writeFile(fileOf(entry), text.replace('"account"', '"person"'));
    await expect(ledger.ofRequest(entry.jobId)).rejects.toMatchObject({ code: 'ledger.unreadable' });
  });
});
