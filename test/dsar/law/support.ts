import { DomainError } from '../../../src/errors.js';

/** The code of the DomainError that `act` throws; anything else that happens fails the test. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  throw new Error('it was allowed');
}
