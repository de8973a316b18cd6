/** The time of day, so that tests can move it. Everything that compares with "now" asks here, SQL included. */
export class Clock {
  now(): Date {
    return new Date();
  }
}
