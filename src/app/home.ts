import { mkdirSync } from 'node:fs';
import { type Config } from '../config.js';
import { DomainError, messageOf } from '../errors.js';

/** Makes HABEAS_HOME, closed to others. @throws DomainError `home.unusable` */
export function makeHome({ home }: Config): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DomainError(
      'home.unusable',
      `The folder ${home} cannot be used (${messageOf(error)}). Set the variable HABEAS_HOME to one that can.`,
    );
  }
}
