import { DomainError } from '../../errors.js';
import { isLawId } from '../law/laws.js';
import { type Ground, groundOf } from '../law/refusal-grounds.js';
import { type Request } from '../request.js';

/** Why a request is refused: a ground of its law, and staff's own sentence to the person. */
export interface Reason {
  /** Its code. */
  ground: string;
  explanation?: string;
}

/** The ground in words, and staff's own sentences after it. */
export function groundText(request: Request, code: string, ...explanations: string[]): string[] {
  const ground = groundFor(request, code);
  return [ground.text, `${ground.title} (${ground.source}).`, ...explanations];
}

/** Each ground once, in the order given, with all that is said of it (Art. 12(4): the reasons, not one of them). */
export const groundTexts = (request: Request, reasons: readonly Reason[]): string[][] =>
  [...Map.groupBy(reasons, ({ ground }) => ground)].map(([ground, its]) =>
    groundText(request, ground, ...new Set(its.flatMap(({ explanation }) => explanation ?? []))),
  );

/** @throws DomainError `refusal.unknown_ground`, `refusal.not_statutory` */
export function groundFor({ law, kind }: Request, code: string): Ground {
  if (law === null || !isLawId(law)) {
    throw new DomainError(
      'refusal.not_statutory',
      'A request about a whole workspace rests on the contract: no ground of a law refuses it.',
    );
  }
  return groundOf(law, kind, code);
}
