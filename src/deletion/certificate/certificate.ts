import { DateTime, type Duration } from 'luxon';
import { type SignedCheckpoint } from '../../audit/checkpoint.js';
import { type Signing } from '../../keys/signing.js';
import {
  type Certificate,
  type CertifiedCollection,
  FORMAT,
  SignedCertificate,
} from './certificate.schema.js';
import { type ErasureJob, type StepOutcome } from '../erasure.js';
import { sharedApart } from '../hindrance/shared-rows.js';

/** What a certificate is made of, once the residue search has found nothing. */
export interface ErasureFacts {
  job: Pick<ErasureJob, 'id' | 'jobId' | 'scope'>;
  outcomes: readonly StepOutcome[];
  /** Of the map that was walked: its `hash`. */
  dataMap: string;
  law: string | null;
  /** When the last row was done; the sweep of tombstones is not waited for. */
  completedAt: Date;
  /** Hits inside other people's rows. */
  mentions: number;
  /** Titles of those who are told of it (GDPR Art. 19). */
  recipients?: readonly string[];
  /** BACKUP_HORIZON: how long after `completedAt` a backup may still hold what was erased. */
  backupHorizon: Duration;
  /**
   * Whether files were removed from a store that may keep earlier versions of them out of our reach. They are promised
   * to be gone when backups are: that is how long the operator says that copies live.
   */
  mayHaveVersions?: boolean;
  /** PUBLIC_URL of this installation, where its public keys are. */
  issuer: string;
  /** Of a workspace: its log's last checkpoint. */
  checkpoint?: SignedCheckpoint;
  /** When the tombstones were swept: makes the final certificate. */
  sweptAt?: Date;
}

/**
 * The signed proof of an erasure, without personal data: counts, rules and dates by collection. Collections are
 * summed over workspaces, so that no reader learns of the siblings of a part. The same facts give the same bytes,
 * so a step that runs twice issues one certificate.
 * @throws ZodError where the facts contradict themselves, e.g. a data map that has no hash
 */
export function issueCertificate(signing: Signing, facts: ErasureFacts): SignedCertificate {
  return SignedCertificate.parse(signing.sign(certificateOf(facts)));
}

/** The first certificate once its tombstones are swept: nothing in it is counted anew, so that it contradicts nothing. */
export function finalCertificate(
  signing: Signing,
  { signature: _, ...first }: SignedCertificate,
  sweptAt: Date,
): SignedCertificate {
  const final = { ...first, issuedAt: sweptAt.toISOString(), final: true, pendingSweeps: [] };
  return SignedCertificate.parse(signing.sign(final satisfies Certificate));
}

/** The file's text: indented for people; what is signed is the canonical form. */
export const certificateText = (certificate: SignedCertificate): string =>
  `${JSON.stringify(certificate, null, 2)}\n`;

function certificateOf(facts: ErasureFacts): Certificate {
  const { job, completedAt, sweptAt, mayHaveVersions = false } = facts;
  const backupsGoneBy = dayOf(completedAt, facts.backupHorizon);
  const pendingSweeps = sweptAt ? [] : pendingOf(facts.outcomes, backupsGoneBy);
  return {
    format: FORMAT,
    issuer: facts.issuer,
    erasureId: job.id,
    requestId: job.jobId,
    scope: job.scope,
    law: facts.law,
    completedAt: completedAt.toISOString(),
    issuedAt: (sweptAt ?? completedAt).toISOString(),
    final: pendingSweeps.length === 0,
    dataMap: facts.dataMap,
    collections: summed(facts.outcomes),
    residues: 0,
    mentions: facts.mentions,
    pendingSweeps,
    ...(facts.recipients?.length && { recipients: facts.recipients.map(oneLine) }),
    ...(facts.checkpoint && { checkpoint: facts.checkpoint }),
    storage: { versionsGoneBy: mayHaveVersions ? backupsGoneBy : null },
    backups: { goneBy: backupsGoneBy },
  };
}

/** One entry for each collection and fate, in the order in which they first ran. */
function summed(outcomes: readonly StepOutcome[]): CertifiedCollection[] {
  const entries = new Map<string, CertifiedCollection>();
  for (const outcome of outcomes.flatMap(sharedApart)) {
    const { collection, controller, rule, ground, until } = outcome;
    const fate = {
      ...{ collection, controller, rule },
      // A map's texts may be broken over lines.
      ...(ground !== undefined && { ground: oneLine(ground) }),
      ...(until !== undefined && { until: oneLine(until) }),
    };
    const name = JSON.stringify(fate);
    const entry = entries.get(name) ?? { ...fate, rows: 0, files: 0 };
    entry.rows += rule === 'keep' ? outcome.rows : outcome.done;
    entry.files += rule === 'keep' ? outcome.files : outcome.filesRemoved;
    const { pointersCleared = 0, letGo = 0 } = outcome;
    if (pointersCleared > 0) entry.pointersCleared = (entry.pointersCleared ?? 0) + pointersCleared;
    if (letGo > 0) entry.letGo = (entry.letGo ?? 0) + letGo;
    entries.set(name, entry);
  }
  return [...entries.values()];
}

function pendingOf(outcomes: readonly StepOutcome[], on: string): Certificate['pendingSweeps'] {
  const rows = new Map<string, number>();
  for (const { collection, pendingSweep } of outcomes)
    if (pendingSweep > 0) rows.set(collection, (rows.get(collection) ?? 0) + pendingSweep);
  return [...rows].map(([collection, count]) => ({ collection, rows: count, on }));
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}\s]+/gu, ' ').trim();

/** The day in UTC that an instant is in, or one so much later; what is promised "by" it holds at its end. */
const dayOf = (instant: Date, later?: Duration): string =>
  DateTime.fromJSDate(instant, { zone: 'utc' })
    .plus(later ?? 0)
    .toISODate() ?? '';
