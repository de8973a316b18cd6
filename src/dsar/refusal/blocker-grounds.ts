import { type LawId } from '../law/law.js';
import { isLawId } from '../law/laws.js';
import { type Request } from '../request.js';

/** Which ground of a law fits a blocker that does not end by itself. Prepared, never sent: staff may choose another. */
export interface BlockerGrounds {
  /** The person may hear why: what a hold keeps, it keeps for claims. */
  held: string;
  /** They may not: a ground that is true and tells nothing of the hold (GDPR Art. 23(2)(h) where there is such a law). */
  heldInSecret: string;
  /** The account still serves the contract of the workspace that nobody else owns. */
  soleOwner: string;
}

const generic: BlockerGrounds = {
  held: 'legal_claims',
  heldInSecret: 'legal_restriction',
  soleOwner: 'still_needed',
};

const byLaw: Partial<Record<LawId, BlockerGrounds>> = {
  gdpr: { held: 'legal_claims', heldInSecret: 'national_restriction', soleOwner: 'no_erasure_ground' },
  'uk-gdpr': { held: 'legal_claims', heldInSecret: 'legal_obligation', soleOwner: 'no_erasure_ground' },
  ccpa: { held: 'compliance', heldInSecret: 'compliance', soleOwner: 'transaction' },
};

/** For requests under a law; a contract has no grounds. */
export const groundsOfBlocker = ({ law }: Pick<Request, 'law'>): BlockerGrounds =>
  (law !== null && isLawId(law) ? byLaw[law] : undefined) ?? generic;
