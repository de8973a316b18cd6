import { type Day, type Moment } from './params.js';

/** Dates, numbers and lists as the reader's language writes them. */
export class Formats {
  constructor(private readonly locale: string) {}

  /** `20 December 2026 (Central European Time)`: a date in law is a date somewhere, so the zone is named. */
  day({ on, zone }: Day): string {
    // Noon UTC of that day is read back in UTC: the day is given, and no zone may move it.
    const date = new Date(`${on}T12:00:00Z`);
    const day = new Intl.DateTimeFormat(this.locale, { ...long, timeZone: 'UTC' }).format(date);
    return `${day} (${this.zone(zone, date)})`;
  }

  /** `20 December 2026, 13:00 (Central European Time)` */
  moment({ at, zone }: Moment): string {
    const date = new Date(at);
    const time = { ...long, hour: 'numeric', minute: '2-digit', timeZone: zone } as const;
    return `${new Intl.DateTimeFormat(this.locale, time).format(date)} (${this.zone(zone, date)})`;
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.locale).format(value);
  }

  private zone(zone: string, date: Date): string {
    const name = { timeZone: zone, timeZoneName: 'longGeneric' } as const;
    const parts = new Intl.DateTimeFormat(this.locale, name).formatToParts(date);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  }
}

const long = { year: 'numeric', month: 'long', day: 'numeric' } as const;
