import { type LawId } from '../../config.js';
import {
  type ContractualTerm,
  contractualTerm,
  deadline,
  type Deadline,
  earliestDeadline,
} from '../law/legal-clock.js';
import { resolveJurisdiction } from '../law/jurisdiction.js';
import { type RequestKind } from '../law/law.js';
import { type Scope } from '../request.js';

/** What is known of the place of one part. */
export interface PartWhereabouts {
  establishment?: string | null;
  region?: { defaultJurisdiction: string; chosen: boolean } | null;
}

interface Known {
  kind: RequestKind;
  scope: Scope;
  receivedAt: Date;
  /** Named in the filing. */
  jurisdiction?: string | null;
  /** From the data map; unknown until identity is proven. */
  subjectJurisdictions: readonly (string | null)[];
  /** The account's own place (the host's), and each workspace's. */
  parts: readonly PartWhereabouts[];
  laws: readonly LawId[];
}

/** What a request stores of its clock: the earliest date over all parts, with the law it comes from. */
export function startingClock(known: Known): (Deadline | ContractualTerm) & { decidedBy: string } {
  const { kind, receivedAt } = known;
  if (known.scope === 'workspace') return { ...contractualTerm(kind, receivedAt), decidedBy: 'contract' };
  // One person in several guises: what one of them tells holds for all.
  const told = known.subjectJurisdictions.filter((code) => code !== null);
  const subjects = told.length ? told : [null];
  const candidates = known.parts.flatMap((part) =>
    subjects.map((subject) => {
      const whereabouts = { request: known.jurisdiction, subject, ...part, enabled: known.laws };
      const { jurisdiction, decidedBy } = resolveJurisdiction(whereabouts, kind, receivedAt);
      return { ...deadline({ jurisdiction, kind, receivedAt }), decidedBy };
    }),
  );
  const earliest = earliestDeadline(candidates);
  if (!earliest) throw new Error('a request has at least one part');
  return earliest;
}
