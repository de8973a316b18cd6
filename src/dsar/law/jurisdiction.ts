import { DomainError } from '../../errors.js';
import { type LawId, type RequestKind } from './law.js';
import { deadline, earliestDeadline } from './legal-clock.js';
import { lawOf } from './laws.js';
import { placeOf, places } from './places.js';

/** What is known about where a request belongs: codes as given, in any case (`de`, `US-CA`). */
export interface Whereabouts {
  request?: string | null;
  /** From the data map's jurisdiction column. */
  subject?: string | null;
  /** The workspace's, as its controller profile says. */
  establishment?: string | null;
  /** The region's default counts only if somebody chose the region. */
  region?: { defaultJurisdiction: string; chosen: boolean } | null;
  enabled: readonly LawId[];
}

export interface Jurisdiction {
  jurisdiction: string;
  law: LawId;
  /** Which of the sources decided; `only`: none did, and one law is enabled; `earliest`: the strictest of several was taken. */
  decidedBy: 'request' | 'subject' | 'establishment' | 'region' | 'only' | 'earliest';
}

/**
 * The place and the law of a request: the first source, in the order above, that names a place whose law is enabled.
 * A code that is unknown, or whose law is not enabled, says nothing and the next source is asked. Nothing said:
 * the enabled law with the earliest date, at its home, so that whatever law applies in truth, the answer is in time.
 * @throws `jurisdiction.none_enabled` if no law is enabled at all
 */
export function resolveJurisdiction(known: Whereabouts, kind: RequestKind, receivedAt: Date): Jurisdiction {
  const asked = [
    ['request', known.request],
    ['subject', known.subject],
    ['establishment', known.establishment],
    ['region', known.region?.chosen ? known.region.defaultJurisdiction : null],
  ] as const;
  for (const [decidedBy, code] of asked) {
    const place = placeOf(code);
    if (place && known.enabled.includes(place.law))
      return { jurisdiction: place.code, law: place.law, decidedBy };
  }
  const strictest = earliestDeadline(known.enabled.map((law) => deadline({ law, kind, receivedAt })));
  if (!strictest)
    throw new DomainError('jurisdiction.none_enabled', 'Enable at least one law in JURISDICTIONS.');
  const decidedBy = known.enabled.length === 1 ? 'only' : 'earliest';
  return { jurisdiction: lawOf(strictest.law).home, law: strictest.law, decidedBy };
}

/** Nothing said which law it is: its date is kept, and nobody is told that it is theirs. */
export const isAssumed = ({ decidedBy }: { decidedBy?: string }): boolean => decidedBy === 'earliest';

/**
 * Whoever types a code means it: one that no enabled law covers is refused, where the host's own data that say
 * nothing useful are passed over.
 * @throws DomainError `jurisdiction.unknown`, which lists the codes there are
 */
export function assertCovered(code: string | undefined, enabled: readonly LawId[]): void {
  if (code === undefined) return;
  const place = placeOf(code);
  if (place && enabled.includes(place.law)) return;
  const known = [...places.values()].filter(({ law }) => enabled.includes(law)).map((each) => each.code);
  const message = `No law here covers this jurisdiction. Leave it out, or name one of ${known.join(', ')}.`;
  throw new DomainError('jurisdiction.unknown', message, {
    errors: [{ path: 'jurisdiction', code: 'unknown', message }],
  });
}
