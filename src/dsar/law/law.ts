import { type LawId } from '../../config.js';

export type { LawId };

export type RequestKind = 'access' | 'deletion';

/** How long: counted from receipt, whose own day never counts. */
export interface Period {
  amount: number;
  unit: 'calendar month' | 'calendar day' | 'working day';
}

/** A statement of law: what it says, where it stands, and whether we have held it against that place. */
export interface Rule {
  source: string;
  text: string;
  /** False: taken from secondary or remembered material, or our own reading. A lawyer should look. */
  verified: boolean;
}

export interface ResponseRule extends Rule {
  within: Period;
  /** True where the law names no number, and the one here is our own target. */
  ownTarget?: true;
}

export interface ExtensionRule extends Rule {
  /** Added to the first period and counted, like it, from receipt. Once; told before the first period ends. */
  by: Period;
}

export interface Law {
  id: LawId;
  name: string;
  /** The place that is assumed when only the law is known. */
  home: string;
  response: Record<RequestKind, ResponseRule>;
  /** By when the person must hear that the request has arrived; null where no law asks for it. */
  acknowledgement: (Rule & { within: Period }) | null;
  extension: ExtensionRule | null;
  /** Whether a deadline on a weekend or public holiday moves to the next working day. */
  rollover: Rule & { rolls: boolean };
  /** Whether staff may stop the clock while identity is honestly in doubt. Verifying never stops it by itself. */
  identityDoubt: Rule & { pausable: boolean };
  /** Where the rights to complain and to go to court stand. The words are in texts/. */
  remedies: Pick<Rule, 'source' | 'verified'>;
}

export const months = (amount: number): Period => ({ amount, unit: 'calendar month' });
export const days = (amount: number): Period => ({ amount, unit: 'calendar day' });
export const workingDays = (amount: number): Period => ({ amount, unit: 'working day' });

/** The rule for laws that say nothing on it, or that we read to the person's advantage: the earlier date stands. */
export const doesNotRoll: Law['rollover'] = {
  rolls: false,
  source: 'Our own reading',
  text: 'A deadline stays where it falls, weekend or not: the earlier date is safe under every reading.',
  verified: false,
};

/** The rule for laws that do not let the clock stop, or where we found nothing that does. */
export const neverPauses: Law['identityDoubt'] = {
  pausable: false,
  source: 'Our own reading',
  text: 'We found nothing that stops the clock while identity is verified, so it runs.',
  verified: false,
};
