/** A log's checkpoint: the head of a Merkle tree over its events, signed. What it covers cannot be changed unnoticed. */
import { z } from 'zod';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { Signature } from '../keys/public-keys.js';
import { type Signing } from '../keys/signing.js';
import { MerkleRange } from './merkle-range.js';

export const CHECKPOINT_FORMAT = 'habeas-log-checkpoint/1';

export const Checkpoint = z.strictObject({
  format: z.literal(CHECKPOINT_FORMAT),
  tenant: z.guid(),
  /** How many events, from the log's first one on, in the order of their ids. */
  events: z.int().min(0),
  /** RFC 9162 tree head over them, base64url. */
  root: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  at: z.iso.datetime(),
});
export const SignedCheckpoint = Checkpoint.extend({ signature: Signature });
export type SignedCheckpoint = z.infer<typeof SignedCheckpoint>;

// The row as it was written, with what never changes and nothing that erasure removes. Microseconds, because
// JavaScript's dates would round them away.
const leaves = `
  declare leaves no scroll cursor for
  select json_build_object(
    'id', id, 'occurredAt', to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', action, 'outcome', outcome, 'actor', json_build_object('type', actor_type, 'id', actor_id),
    'targets', targets, 'subjects', subjects, 'context', context, 'metadata', metadata, 'commitments', commitments
  )::text as event
  from habeas.events where tenant_id = (select habeas.workspace_id()) order by id`;

const AT_ONCE = 1000;

/**
 * The checkpoint of the whole log that `tx` sees in the tenant it is in, whatever its length: the events pass through
 * one by one, and of the tree only O(log n) hashes are kept.
 */
export async function checkpointOf(tx: UnitOfWork, signing: Signing, at: Date): Promise<SignedCheckpoint> {
  const range = new MerkleRange();
  await tx.query(leaves);
  for (;;) {
    const page = await tx.query<{ event: string }>(`fetch ${AT_ONCE} from leaves`);
    if (page.length === 0) break;
    for (const { event } of page) range.append(leafOf(JSON.parse(event)));
  }
  await tx.query('close leaves');
  return signing.sign({
    format: CHECKPOINT_FORMAT,
    tenant: tx.tenant,
    events: range.size,
    root: range.root().toString('base64url'),
    at: at.toISOString(),
  });
}

/** An event as a leaf: its canonical JSON in UTF-8. */
export const leafOf = (event: unknown): Buffer => Buffer.from(canonical(event), 'utf8');

/** RFC 8785, all of it, unlike our signed documents: a host's metadata may hold any number, read as an IEEE double. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
