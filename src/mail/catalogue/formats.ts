import { type Day, type Moment } from './params.js';

/** Dates, numbers and lists as the reader's language writes them: in letters, and on the pages they lead to. */
export class Formats {
  private readonly locale: string;

  /** @param locale BCP 47; English of no region puts the day first and counts to 24, which no region misreads */
  constructor(locale: string) {
    this.locale = locale === 'en' ? 'en-GB' : locale;
  }

  /** `20 December 2026`, for running text where nothing depends on the zone. */
  date({ on }: Day): string {
    return new Intl.DateTimeFormat(this.locale, { ...long, timeZone: 'UTC' }).format(noon(on));
  }

  /** `20 December 2026 (Central European Time)`: a date in law is a date somewhere, so the zone is named. */
  day(day: Day): string {
    return `${this.date(day)} (${this.zone(day.zone, noon(day.on))})`;
  }

  /** `20 December 2026 at 13:00 (Central European Time)` */
  moment(moment: Moment): string {
    return `${this.clock(moment)} (${this.zone(moment.zone, new Date(moment.at))})`;
  }

  /** `20 December 2026 at 13:00`, where the zone is named nearby. */
  clock({ at, zone }: Moment): string {
    const time = { ...long, hour: 'numeric', minute: '2-digit', timeZone: zone } as const;
    return new Intl.DateTimeFormat(this.locale, time).format(new Date(at));
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.locale).format(value);
  }

  /** `Central European Time` */
  zone(zone: string, date: Date): string {
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
