export const regionIds = ['us', 'eu', 'me-south', 'ap-northeast'] as const;
export type RegionId = (typeof regionIds)[number];

/** Where a workspace may say its data belongs: a tag with what follows from it in law. */
export interface Region {
  id: RegionId;
  name: string;
  place: string;
  /** What a workspace has that never chose. */
  default: boolean;
  /** A place of the legal clock: it counts only where somebody chose the region. */
  defaultJurisdiction: string;
  legalContext: LegalNote[];
  /** What to ask of whoever runs the servers there: Habeas holds no certificate itself. */
  certificationNotes: string[];
  /** Where a host app should let a model provider work on the workspace's content. */
  modelProvider: { region: string; inRegion: boolean; note: string };
}

export interface LegalNote {
  law: string;
  note: string;
  source: string;
  /** Whether the source was read for this sentence; otherwise take it to counsel first. */
  verified: boolean;
}

const askTheProvider = [
  'Ask the database and storage provider for a current ISO/IEC 27001 certificate and SOC 2 Type II report that name this location.',
  'Keep both with the data processing agreement: a certificate of the provider covers its data centre, not your use of it.',
];

const inRegion = (region: string) => ({
  region,
  inRegion: true,
  note: 'Choose an endpoint of your model provider that processes in this region and keeps nothing elsewhere.',
});

const note = (law: string, text: string, source: string): LegalNote => ({
  law,
  note: text,
  source,
  verified: false,
});

/** Change of law is a change of data: edit here, with the source. */
export const regions: Readonly<Record<RegionId, Region>> = {
  us: {
    id: 'us',
    name: 'United States',
    place: 'Virginia',
    default: true,
    defaultJurisdiction: 'US',
    legalContext: [
      note(
        'State law',
        'There is no general federal privacy law. Where the state is not known, people are given Californian rights.',
        'California Civil Code § 1798.100 ff. (CCPA)',
      ),
      note(
        'Transfers from the EU',
        'The adequacy decision covers only companies that are certified under the Data Privacy Framework; others need standard contractual clauses.',
        'Commission Implementing Decision (EU) 2023/1795',
      ),
    ],
    certificationNotes: askTheProvider,
    modelProvider: inRegion('us-east-1'),
  },
  eu: {
    id: 'eu',
    name: 'European Union',
    place: 'Frankfurt',
    default: false,
    defaultJurisdiction: 'EU',
    legalContext: [
      note('GDPR', 'Applies in full. Within the EEA no transfer tool is needed.', 'Regulation (EU) 2016/679'),
      note(
        'Access from outside',
        'Support or a processor that reads the data from a third country is a transfer, wherever the servers stand.',
        'Regulation (EU) 2016/679, Chapter V',
      ),
    ],
    certificationNotes: [...askTheProvider, 'For German public bodies also ask for a BSI C5 attestation.'],
    modelProvider: inRegion('eu-central-1'),
  },
  'me-south': {
    id: 'me-south',
    name: 'Middle East',
    place: 'Bahrain',
    default: false,
    defaultJurisdiction: 'BH',
    legalContext: [
      note(
        'Bahrain PDPL',
        'Governs processing by means in Bahrain. Transfers abroad are free to the listed countries and otherwise need the authority’s permission or an exception.',
        'Law No. 30 of 2018; Order No. 42 of 2022',
      ),
      note(
        'Saudi Arabia and others',
        'Storing in Bahrain is a transfer abroad for people of the neighbouring countries, under their own laws.',
        'Saudi Personal Data Protection Law (Royal Decree M/19), Art. 29',
      ),
    ],
    certificationNotes: askTheProvider,
    modelProvider: {
      region: 'eu-central-1',
      inRegion: false,
      note: 'Large models are rarely offered in Bahrain: the nearest choice leaves the country, which the people concerned must be told. Check with your provider, or switch model features off.',
    },
  },
  'ap-northeast': {
    id: 'ap-northeast',
    name: 'Asia Pacific',
    place: 'Tokyo',
    default: false,
    defaultJurisdiction: 'JP',
    legalContext: [
      note(
        'APPI',
        'Requests are answered without delay; providing data to a third party abroad needs consent or an equivalent system.',
        'Act on the Protection of Personal Information (Act No. 57 of 2003), Art. 28, 33',
      ),
      note(
        'Transfers from the EU',
        'Business operators in Japan are covered by an adequacy decision, with supplementary rules.',
        'Commission Implementing Decision (EU) 2019/419',
      ),
    ],
    certificationNotes: [...askTheProvider, 'For public bodies in Japan also ask for ISMAP registration.'],
    modelProvider: inRegion('ap-northeast-1'),
  },
};

export const regionList: readonly Region[] = regionIds.map((id) => regions[id]);
export const defaultRegion: Region = regions.us;

/** @returns undefined for a word that is no region of ours */
export const regionOf = (id: string): Region | undefined => regionList.find((region) => region.id === id);
