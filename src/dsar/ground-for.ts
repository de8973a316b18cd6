import { DomainError } from '../errors.js';
import { isLawId } from './law/laws.js';
import { type Ground, groundOf } from './law/refusal-grounds.js';
import { type Request } from './request.js';

/** The ground in words, and staff's own sentence after it. */
export function groundText(request: Request, code: string, explanation?: string): string[] {
  const ground = groundFor(request, code);
  return [ground.text, `${ground.title} (${ground.source}).`, ...(explanation ? [explanation] : [])];
}

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
