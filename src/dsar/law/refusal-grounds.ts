import { DomainError } from '../../errors.js';
import { ccpaGrounds } from './grounds/ccpa.js';
import { gdprGrounds } from './grounds/gdpr.js';
import { genericGrounds } from './grounds/generic.js';
import { type Ground } from './grounds/ground.js';
import { ukGdprGrounds } from './grounds/uk-gdpr.js';
import { type LawId, type RequestKind } from './law.js';
import { laws } from './laws.js';

export type { Ground };

/** Why a request, or a part of it, may be refused, law by law. */
export const refusalGrounds: Record<LawId, readonly Ground[]> = {
  gdpr: gdprGrounds,
  'uk-gdpr': ukGdprGrounds,
  ccpa: ccpaGrounds,
  lgpd: genericGrounds(laws.lgpd),
  pipeda: genericGrounds(laws.pipeda),
  'sa-pdpl': genericGrounds(laws['sa-pdpl']),
  'bh-pdpl': genericGrounds(laws['bh-pdpl']),
  'jp-appi': genericGrounds(laws['jp-appi']),
};

/** What staff may choose from for a request of this kind. */
export const groundsFor = (law: LawId, kind: RequestKind): readonly Ground[] =>
  refusalGrounds[law].filter(({ kinds }) => kinds.includes(kind));

/**
 * The ground that a code names.
 * @throws `refusal.unknown_ground` if the law has none of that name for this kind
 */
export function groundOf(law: LawId, kind: RequestKind, code: string): Ground {
  const ground = groundsFor(law, kind).find((candidate) => candidate.code === code);
  if (ground) return ground;
  const known = groundsFor(law, kind).map((candidate) => candidate.code);
  throw new DomainError('refusal.unknown_ground', `Give one of this law’s grounds: ${known.join(', ')}.`);
}
