import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ErasureLedger } from '../../src/deletion/ledger.js';
import { LEDGER_FORMAT, type LedgerEntry } from '../../src/deletion/ledger-entry.js';
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
