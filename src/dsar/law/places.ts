import { type LawId } from './law.js';

/** A jurisdiction: which law applies there, and how days are counted. */
export interface Place {
  /** ISO 3166-1, or 3166-2 where a part has a law of its own; `EU` where only that much is known. */
  code: string;
  name: string;
  law: LawId;
  /** The IANA zone in which a date begins and ends: the capital's, where a country has several. */
  zone: string;
  /** ISO weekdays: 1 is Monday, 7 is Sunday. */
  weekend: readonly number[];
  /** What date-holidays calls it; null: no public holidays are known. Only whole days that hold in all of the place. */
  holidays: { country: string; state?: string } | null;
  /** Who hears complaints, as a sentence names it; null where it depends on the country, which is not known. */
  authority: string | null;
}

const saturdayAndSunday = [6, 7];
const fridayAndSaturday = [5, 6];

type Row = readonly [code: string, name: string, zone: string, authority: string];

// The EU's 27 and the EEA's three. Each with its own holidays (Reg. 1182/71 Art. 2(1): as the Member State designates them).
const europe: readonly Row[] = [
  ['AT', 'Austria', 'Europe/Vienna', 'the Austrian Data Protection Authority (Datenschutzbehörde)'],
  ['BE', 'Belgium', 'Europe/Brussels', 'the Belgian Data Protection Authority (GBA/APD)'],
  ['BG', 'Bulgaria', 'Europe/Sofia', 'the Bulgarian Commission for Personal Data Protection'],
  ['CY', 'Cyprus', 'Asia/Nicosia', 'the Cypriot Commissioner for Personal Data Protection'],
  ['CZ', 'Czechia', 'Europe/Prague', 'the Czech Office for Personal Data Protection (ÚOOÚ)'],
  ['DE', 'Germany', 'Europe/Berlin', 'the data protection authority of the German Land concerned'],
  ['DK', 'Denmark', 'Europe/Copenhagen', 'the Danish Data Protection Agency (Datatilsynet)'],
  ['EE', 'Estonia', 'Europe/Tallinn', 'the Estonian Data Protection Inspectorate (AKI)'],
  ['ES', 'Spain', 'Europe/Madrid', 'the Spanish Data Protection Agency (AEPD)'],
  ['FI', 'Finland', 'Europe/Helsinki', 'the Finnish Data Protection Ombudsman'],
  ['FR', 'France', 'Europe/Paris', 'the French data protection authority (CNIL)'],
  ['GR', 'Greece', 'Europe/Athens', 'the Hellenic Data Protection Authority'],
  ['HR', 'Croatia', 'Europe/Zagreb', 'the Croatian Personal Data Protection Agency (AZOP)'],
  ['HU', 'Hungary', 'Europe/Budapest', 'the Hungarian data protection authority (NAIH)'],
  ['IE', 'Ireland', 'Europe/Dublin', 'the Irish Data Protection Commission'],
  ['IS', 'Iceland', 'Atlantic/Reykjavik', 'the Icelandic Data Protection Authority (Persónuvernd)'],
  ['IT', 'Italy', 'Europe/Rome', 'the Italian data protection authority (Garante)'],
  ['LI', 'Liechtenstein', 'Europe/Vaduz', 'the Liechtenstein Data Protection Authority (Datenschutzstelle)'],
  ['LT', 'Lithuania', 'Europe/Vilnius', 'the Lithuanian State Data Protection Inspectorate'],
  ['LU', 'Luxembourg', 'Europe/Luxembourg', 'the Luxembourg data protection authority (CNPD)'],
  ['LV', 'Latvia', 'Europe/Riga', 'the Latvian Data State Inspectorate'],
  ['MT', 'Malta', 'Europe/Malta', 'the Maltese Information and Data Protection Commissioner'],
  [
    'NL',
    'Netherlands',
    'Europe/Amsterdam',
    'the Dutch Data Protection Authority (Autoriteit Persoonsgegevens)',
  ],
  ['NO', 'Norway', 'Europe/Oslo', 'the Norwegian Data Protection Authority (Datatilsynet)'],
  ['PL', 'Poland', 'Europe/Warsaw', 'the Polish Personal Data Protection Office (UODO)'],
  ['PT', 'Portugal', 'Europe/Lisbon', 'the Portuguese data protection authority (CNPD)'],
  ['RO', 'Romania', 'Europe/Bucharest', 'the Romanian data protection authority (ANSPDCP)'],
  ['SE', 'Sweden', 'Europe/Stockholm', 'the Swedish Authority for Privacy Protection (IMY)'],
  ['SI', 'Slovenia', 'Europe/Ljubljana', 'the Slovenian Information Commissioner'],
  ['SK', 'Slovakia', 'Europe/Bratislava', 'the Slovak Office for Personal Data Protection'],
];

const californian = {
  law: 'ccpa',
  zone: 'America/Los_Angeles',
  weekend: saturdayAndSunday,
  holidays: { country: 'US', state: 'CA' },
  authority: 'the California Privacy Protection Agency',
} as const;

const rows: readonly Place[] = [
  // Somewhere in the Union: weekends are sure, the country's holidays are not.
  {
    code: 'EU',
    name: 'European Union',
    law: 'gdpr',
    zone: 'Europe/Brussels',
    weekend: saturdayAndSunday,
    holidays: null,
    authority: null,
  },
  ...europe.map(([code, name, zone, authority]): Place => ({
    code,
    name,
    law: 'gdpr',
    zone,
    weekend: saturdayAndSunday,
    holidays: { country: code },
    authority,
  })),
  {
    code: 'GB',
    name: 'United Kingdom',
    law: 'uk-gdpr',
    zone: 'Europe/London',
    weekend: saturdayAndSunday,
    holidays: { country: 'GB' },
    authority: 'the Information Commissioner (ICO)',
  },
  { code: 'US-CA', name: 'California', ...californian },
  // A policy, not a law: whoever is in the United States, state unknown or another, is given the Californian rights.
  { code: 'US', name: 'United States', ...californian },
  {
    code: 'BR',
    name: 'Brazil',
    law: 'lgpd',
    zone: 'America/Sao_Paulo',
    weekend: saturdayAndSunday,
    holidays: { country: 'BR' },
    authority: 'the Brazilian data protection authority (ANPD)',
  },
  {
    code: 'CA',
    name: 'Canada',
    law: 'pipeda',
    zone: 'America/Toronto',
    weekend: saturdayAndSunday,
    holidays: { country: 'CA' },
    authority: 'the Office of the Privacy Commissioner of Canada',
  },
  {
    code: 'SA',
    name: 'Saudi Arabia',
    law: 'sa-pdpl',
    zone: 'Asia/Riyadh',
    weekend: fridayAndSaturday,
    holidays: null,
    authority: 'the Saudi Data and Artificial Intelligence Authority (SDAIA)',
  },
  {
    // National holidays may come later: without them a deadline is earlier, never later.
    code: 'BH',
    name: 'Bahrain',
    law: 'bh-pdpl',
    zone: 'Asia/Bahrain',
    weekend: fridayAndSaturday,
    holidays: null,
    authority: 'the Personal Data Protection Authority of Bahrain',
  },
  {
    code: 'JP',
    name: 'Japan',
    law: 'jp-appi',
    zone: 'Asia/Tokyo',
    weekend: saturdayAndSunday,
    holidays: { country: 'JP' },
    authority: 'the Personal Information Protection Commission (PPC)',
  },
];

export const places: ReadonlyMap<string, Place> = new Map(rows.map((place) => [place.code, place]));

// What people and products write instead of the ISO code.
const aliases: Record<string, string> = { UK: 'GB', EL: 'GR', EEA: 'EU' };

/**
 * The place that a code names, or null. Case and surrounding space do not matter; a subdivision without a row of
 * its own (`DE-BY`, `US-NY`) is its country, so that a local holiday never makes a deadline later.
 */
export function placeOf(code: string | null | undefined): Place | null {
  const word = code?.trim().toUpperCase() ?? '';
  const known = (name: string) => places.get(aliases[name] ?? name);
  return known(word) ?? known(word.split('-')[0] ?? '') ?? null;
}
