import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkpointOf, leafOf, SignedCheckpoint } from '../../src/audit/checkpoint.js';
import { AuditLog } from '../../src/audit/events.js';
import { leafHash, MerkleRange, nodeHash } from '../../src/audit/merkle-range.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Signing } from '../../src/keys/signing.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** RFC 9162, 2.1.1, as it is written there: the largest power of two below n, left and right. */
function naive(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (!first) return createHash('sha256').digest();
  if (leaves.length === 1) return leafHash(first);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(naive(leaves.slice(0, k)), naive(leaves.slice(k)));
}

const rootOf = (leaves: readonly Uint8Array[]): string => {
  const range = new MerkleRange();
  for (const leaf of leaves) range.append(leaf);
  expect(range.size).toBe(leaves.length);
  return range.root().toString('hex');
};

describe('the head of a tree', () => {
  // The tree of Certificate Transparency's own tests (testdata of RFC 6962's reference code): eight leaves.
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((hex) => Buffer.from(hex, 'hex'));
  test.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('of %i of the published leaves is the published one', (n, root) => {
    expect(rootOf(leaves.slice(0, n))).toBe(root);
  });

  test('is the one that the definition gives, for every number of leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 300 }), (any) => {
        expect(rootOf(any)).toBe(naive(any).toString('hex'));
      }),
      { numRuns: 50 },
    );
  });
});

test('a leaf is spelled as RFC 8785 does it', () => {
  const value = { b: [56.0, 1e30, 4.5, 2e-3], a: { '10': null, '9': 'é\u0007"', aa: true } };
  expect(leafOf(value).toString()).toBe(
    '{"a":{"10":null,"9":"é\\u0007\\"","aa":true},"b":[56,1e+30,4.5,0.002]}',
  );
});

describe('the checkpoint of a log', () => {
  let db: TestDatabase;
  const [tenant, neighbour] = [randomUUID(), randomUUID()];
  const signing = new Signing(Buffer.alloc(32, 3));
  const at = new Date('2026-11-20T12:00:00Z');
  const checkpoint = () =>
    db.database.within(systemTenancy(tenant, 'test'), (tx) => checkpointOf(tx, signing, at));
  const write = (to: string, n: number) =>
    db.database.within(systemTenancy(to, 'test'), (tx) =>
      new AuditLog().record(tx, 'thing.done', {
        metadata: { n, share: n / 3 },
        disclosures: [{ path: 'metadata.name', value: `Person ${n}` }],
      }),
    );
  beforeAll(async () => {
    db = await createDatabase();
  });
  afterAll(() => db.drop());

  test('is signed, and says how many events there are', async () => {
    expect(await checkpoint()).toMatchObject({ events: 0 });
    for (let n = 0; n < 7; n++) await write(tenant, n);
    await write(neighbour, 1);
    const signed = SignedCheckpoint.parse(await checkpoint());
    expect(signed).toMatchObject({ tenant, events: 7, at: at.toISOString() });
    signing.verifier.check(signed);
    expect(() => signing.verifier.check({ ...signed, events: 6 } as never)).toThrow(/changed/);
  });

  test('can be recomputed from the rows by anybody, and does not need what erasure takes away', async () => {
    const { root } = await checkpoint();
    const rows = await db.behindTheScenes(
      `select *, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from habeas.events where tenant_id = $1 order by id`,
      [tenant],
    );
    const leaves = rows.map((row) =>
      leafOf({
        ...{ id: row.id, occurredAt: row.at, action: row.action, outcome: row.outcome },
        ...{
          actor: { type: row.actor_type, id: row.actor_id },
          targets: row.targets,
          subjects: row.subjects,
        },
        ...{ context: row.context, metadata: row.metadata, commitments: row.commitments },
      }),
    );
    expect(naive(leaves).toString('base64url')).toBe(root);
    await db.behindTheScenes('delete from habeas.event_disclosures where tenant_id = $1', [tenant]);
    expect((await checkpoint()).root).toBe(root);
  });

  test('is another one as soon as one event is changed, taken out or added', async () => {
    const { root } = await checkpoint();
    await db.behindTheScenes(
      `update habeas.events set occurred_at = occurred_at + interval '1 microsecond'
       where id = (select id from habeas.events where tenant_id = $1 order by id limit 1)`,
      [tenant],
    );
    const changed = (await checkpoint()).root;
    await write(tenant, 8);
    const longer = (await checkpoint()).root;
    expect(new Set([root, changed, longer]).size).toBe(3);
  });
});
