import { z } from 'zod';
import { SignedCheckpoint } from '../../audit/checkpoint.js';
import { Signature } from '../../keys/public-keys.js';
import { type ErasureRule } from '../erasure.js';

const Count = z.int().min(0);
const Moment = z.iso.datetime();
const Day = z.iso.date();
/** Printed to terminals of people who check a stranger's file. */
const Line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Bidi_Control}]*$/u, 'must be one line of text');

/** What happened to one collection. Of `keep`, rows and files are those that stay. */
export const CertifiedCollection = z.strictObject({
  collection: Line(100),
  controller: z.enum(['host', 'workspace']),
  rule: z.enum(['delete', 'pseudonymise', 'clear', 'tombstone', 'keep'] satisfies ErasureRule[]),
  ground: Line(1000).optional(),
  until: Line(1000).optional(),
  rows: Count,
  files: Count,
  /** Other people's rows whose pointer to what is gone their own foreign key has cleared (ON DELETE SET NULL). */
  pointersCleared: Count.min(1).optional(),
  /** Shared rows that stay for others, in which the person is not named any more. */
  letGo: Count.min(1).optional(),
});
export type CertifiedCollection = z.infer<typeof CertifiedCollection>;

export const PendingSweep = z.strictObject({ collection: Line(100), rows: Count.min(1), on: Day });

export const FORMAT = 'habeas-erasure-certificate/1';

const shape = z.strictObject({
  format: z.literal(FORMAT),
  issuer: z.url().max(500),
  erasureId: z.guid(),
  requestId: z.guid(),
  scope: z.enum(['account', 'person', 'workspace']),
  law: Line(50).nullable(),
  completedAt: Moment,
  issuedAt: Moment,
  final: z.boolean(),
  dataMap: z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex'),
  collections: z.array(CertifiedCollection),
  /** A certificate is only issued when the search found nothing. */
  residues: z.literal(0),
  mentions: Count,
  pendingSweeps: z.array(PendingSweep),
  /** Titles of those who had been handed the data and are told of the erasure (GDPR Art. 19); absent: nobody. */
  recipients: z.array(Line(1000)).optional(),
  /** Of a workspace: the head of its log, up to and with `workspace.purged`. */
  checkpoint: SignedCheckpoint.optional(),
  storage: z.strictObject({ versionsGoneBy: Day.nullable() }),
  backups: z.strictObject({ goneBy: Day }),
});
export type Certificate = z.infer<typeof shape>;

/** A certificate as a file: see docs/certificate.md. Strict: a member that nobody knows may mean anything. */
export const SignedCertificate = shape
  .extend({ signature: Signature })
  .refine(({ final, pendingSweeps }) => final === (pendingSweeps.length === 0), {
    path: ['final'],
    message: 'must be true when nothing is pending, and only then',
  });
export type SignedCertificate = z.infer<typeof SignedCertificate>;

/** Why something is kept and until when, as two sentences whatever the map's author wrote. */
export const untilWhen = (ground: string, until: string): string =>
  `${ground.replace(/\.$/, '')}. Until: ${until}`;
