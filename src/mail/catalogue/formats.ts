import { type Day, type Moment } from './params.js';

/** Dates, numbers and lists as the reader's language writes them. */
export class Formats {
  constructor(private readonly locale: string) {}

  /** `20 December 2026`, for running text where nothing depends on the zone. */
  date({ on }: Day): string {
    return new Intl.DateTimeFormat(this.locale, { ...long, timeZone: 'UTC' }).format(noon(on));
  }

  /** `20 December 2026 (Central European Time)`: a date in law is a date somewhere, so the zone is named. */
  day(day: Day): string {
    return `${this.date(day)} (${this.zone(day.zone, noon(day.on))})`;
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
    // Its generic name would be GMT+00:00.
    if (zone === 'UTC') return zone;
    const name = { timeZone: zone, timeZoneName: 'longGeneric' } as const;
    const parts = new Intl.DateTimeFormat(this.locale, name).formatToParts(date);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  }
}

// The day is given and no zone may move it: noon UTC, read back in UTC.
const noon = (day: string) => new Date(`${day}T12:00:00Z`);

const long = { year: 'numeric', month: 'long', day: 'numeric' } as const;
