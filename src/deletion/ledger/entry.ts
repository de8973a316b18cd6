import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { type HostMap } from '../../datamap/host-map.js';
import { type SubjectKind } from '../../datamap/map.js';
import { type Subject } from '../../datamap/settings.js';
import { Signature } from '../../keys/public-keys.js';
import { type Sealing } from '../../keys/sealing.js';
import { SignedCertificate } from '../certificate/certificate.schema.js';
import { type ErasureJob, subjectId } from '../erasure.js';

const Digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Who was erased, without saying who: an opaque key as it is, everything else as a keyed hash. */
const Erased = z.strictObject({
  kind: z.string().min(1),
  key: z.string().optional(),
  /** Of a key that says something about its person. */
  keyDigest: Digest.optional(),
  identifiers: z.record(z.string(), Digest),
  pseudonym: z.guid(),
});
export type Erased = z.infer<typeof Erased>;

/** An identifier that imports must ask about; see Suppressions. */
const Suppressed = z.strictObject({ kind: z.string().min(1), digest: Digest });
export type Suppressed = z.infer<typeof Suppressed>;

export const LEDGER_FORMAT = 'habeas-erasure-ledger/1';

/** One finished erasure as it stands in the ledger: what it takes to do it again, and nothing that names anybody. */
export const LedgerEntry = z.strictObject({
  format: z.literal(LEDGER_FORMAT),
  erasureId: z.guid(),
  jobId: z.guid(),
  tenant: z.guid(),
  scope: z.enum(['account', 'person', 'workspace']),
  completedAt: z.iso.datetime(),
  dataMap: z.string(),
  workspaces: z.array(z.strictObject({ key: z.string(), pseudonym: z.guid().optional() })),
  subjects: z.array(Erased),
  /** What stayed because a refusal said so: it stays when the erasure is repeated. */
  kept: z.array(z.strictObject({ collection: z.string(), workspace: z.string().optional() })).optional(),
  /** Tenants whose share was not erased. */
  leftOut: z.array(z.guid()).optional(),
  /** They cannot be worked out again once nobody is left. */
  suppressions: z.array(Suppressed).optional(),
  /** As it was issued; it says nothing of anybody. Absent where nothing was found to be erased. */
  certificate: SignedCertificate.optional(),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;
export const SignedLedgerEntry = LedgerEntry.extend({ signature: Signature });

/** Keyed hashes of the ledger; another MASTER_KEY finds nobody again. */
export class LedgerDigests {
  /** Derived once: a search makes one hash for every candidate in the database. */
  private readonly key: Buffer;

  constructor(sealing: Sealing) {
    this.key = sealing.digest('erasure-ledger', 'key');
  }

  /** @param name of an identifier, or `key` */
  of(kind: string, name: string, value: string): string {
    const text = JSON.stringify([kind, name, value]);
    return createHmac('sha256', this.key).update(text, 'utf8').digest('base64url');
  }
}

export interface LedgerFacts {
  completedAt: Date;
  hostMap: HostMap;
  digests: LedgerDigests;
  leftOut?: readonly string[];
  suppressions?: readonly Suppressed[];
  certificate?: SignedCertificate | undefined;
}

/** @throws Error where a pseudonym was not drawn: without it a repetition would write another */
export function ledgerEntry(
  job: ErasureJob,
  { completedAt, hostMap, digests, ...aftermath }: LedgerFacts,
): LedgerEntry {
  const { map } = hostMap;
  const { leftOut, suppressions, certificate } = aftermath;
  return LedgerEntry.parse({
    format: LEDGER_FORMAT,
    erasureId: job.id,
    jobId: job.jobId,
    tenant: job.tenant,
    scope: job.scope,
    completedAt: completedAt.toISOString(),
    dataMap: map.hash,
    workspaces: job.workspaces.map((key) => {
      const pseudonym = job.pseudonyms[`workspace:${key}`];
      return { key, ...(pseudonym !== undefined && { pseudonym }) };
    }),
    subjects: job.subjects.map((subject) => ({
      ...unnamed(subject, map.subjects[subject.kind], digests),
      pseudonym: job.pseudonyms[subjectId(subject)],
    })),
    ...(job.kept?.length && {
      kept: job.kept.map(({ collection, workspace }) => ({
        collection,
        ...(workspace !== undefined && { workspace }),
      })),
    }),
    ...(leftOut && { leftOut }),
    ...(suppressions && { suppressions }),
    ...(certificate && { certificate }),
  });
}

/** A person as the ledger has them. */
export function unnamed(
  { kind, key, identifiers }: Subject,
  known: SubjectKind | undefined,
  digests: LedgerDigests,
): Omit<Erased, 'pseudonym'> {
  const hashed = Object.entries(identifiers).flatMap(([name, value]) =>
    value && value !== key ? [[name, digests.of(kind, name, value)] as const] : [],
  );
  if (!known?.table) {
    // Whoever is known by one identifier only has it as the key.
    const [name] = Object.keys(known?.identifiers ?? identifiers);
    return { kind, identifiers: name === undefined ? {} : { [name]: digests.of(kind, name, key) } };
  }
  const named = isOpaque(known, key) ? { key } : { keyDigest: digests.of(kind, 'key', key) };
  return { kind, ...named, identifiers: Object.fromEntries(hashed) };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const partsOf = (key: string): string[] => (key.startsWith('[') ? (JSON.parse(key) as string[]) : [key]);

/** A key that no other person ever gets. */
export const isUnique = (key: string): boolean => partsOf(key).some((part) => UUID.test(part));

/** Whether a key says nothing: uuids and running numbers, unless the map calls the column a mail or a phone. */
function isOpaque({ key: columns, identifiers }: SubjectKind, key: string): boolean {
  const tells = Object.values(identifiers).some(
    ({ column, normalise }) => normalise !== 'exact' && column !== undefined && columns.includes(column),
  );
  return !tells && partsOf(key).every((part) => UUID.test(part) || /^\d{1,19}$/.test(part));
}
