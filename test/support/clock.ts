import { Clock } from '../../src/clock.js';

/** A clock that stands still until told otherwise. */
export class TestClock extends Clock {
  constructor(private instant = new Date('2026-11-20T12:00:00Z')) {
    super();
  }

  override now(): Date {
    return new Date(this.instant);
  }

  set(instant: Date | string): void {
    this.instant = new Date(instant);
  }

  advance(milliseconds: number): void {
    this.instant = new Date(this.instant.getTime() + milliseconds);
  }
}
