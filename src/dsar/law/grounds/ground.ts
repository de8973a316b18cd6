import { type RequestKind } from '../law.js';

/** A reason that the law accepts for not doing, in whole or in part, what a person asked. */
export interface Ground {
  /** Stable, and the same word for the same reason in every law: `identity_not_proven`. */
  code: string;
  kinds: readonly RequestKind[];
  /** What staff choose from. */
  title: string;
  source: string;
  verified: boolean;
  /** What the person reads: plain sentences that say "we". */
  text: string;
}

type Row = readonly [code: string, source: string, title: string, text: string];

const groundsFor =
  (kinds: readonly RequestKind[], verified: boolean) =>
  (rows: readonly Row[]): Ground[] =>
    rows.map(([code, source, title, text]) => ({ code, kinds, title, source, verified, text }));

// Read aloud: `onAccess([[code, source, title, text], …])`.
export const onAccess = groundsFor(['access'], true);
export const onDeletion = groundsFor(['deletion'], true);
export const onBoth = groundsFor(['access', 'deletion'], true);
/** Taken from memory or secondary sources; a lawyer should look before it is relied upon. */
export const uncheckedOnBoth = groundsFor(['access', 'deletion'], false);
export const uncheckedOnAccess = groundsFor(['access'], false);
export const uncheckedOnDeletion = groundsFor(['deletion'], false);
