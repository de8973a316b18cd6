import { Duration } from 'luxon';
import { type InformationItem, type LegalTexts, type Matter, type Processing } from '../legal-text.js';
import { remediesIn } from './en-remedies.js';

/** What GDPR Art. 15(1)-(2) wants told beside the data, from the data map's words. */
export const information: LegalTexts['information'] = (matter, collections, facts = {}) => {
  const item = item15(matter);
  return [
    item('controller', null, 'Who is responsible', whoIs(matter)),
    item('purposes', '15(1)(a)', 'What the data is used for, and on what basis', collections.map(purposeOf)),
    item('categories', '15(1)(b)', 'Which categories of data', collections.map(categoriesOf)),
    item('recipients', '15(1)(c)', 'Who receives it', recipientsOf(collections)),
    item('retention', '15(1)(d)', 'How long it is kept', collections.map(retentionOf)),
    item('rights', '15(1)(e)', 'Your rights', rightsUnder(matter)),
    item('complaint', '15(1)(f)', 'Complaint and court', remediesIn(matter)),
    item('source', '15(1)(g)', 'Where it comes from', sourcesOf(collections)),
    item('automated_decisions', '15(1)(h)', 'Automated decisions and profiling', [
      facts.automatedDecisions ??
        `No automated decision-making is recorded for this data. ${whomToAsk(matter)}`,
    ]),
    item('transfers', '15(2)', 'Transfers to other countries', [
      facts.transfers ?? `No transfer to another country is recorded for this data. ${whomToAsk(matter)}`,
    ]),
  ];
};

/** The article is named only where it is the law. */
const item15 =
  ({ law }: Matter) =>
  (
    code: InformationItem['code'],
    paragraph: string | null,
    title: string,
    text: readonly string[],
  ): InformationItem => {
    const name = law === 'gdpr' ? 'GDPR' : law === 'uk-gdpr' ? 'UK GDPR' : null;
    return { code, article: name && paragraph && `${name} Art. ${paragraph}`, title, text };
  };

const whoIs = ({ controller: { name, contact, dpo, establishment } }: Matter): string[] => [
  establishment ? `${name}, established in ${establishment}` : name,
  ...(contact ? [`Contact: ${contact}`] : []),
  ...(dpo ? [`Data protection officer: ${dpo}`] : []),
];

const whomToAsk = ({ controller: { name, contact, dpo } }: Matter): string =>
  `Ask ${dpo ?? contact ?? name} for more.`;

const purposeOf = ({ title, purpose, legalBasis }: Processing): string =>
  `${title}: ${purpose} (legal basis: ${legalBasis})`;

const categoriesOf = ({ title, categories }: Processing): string =>
  `${title}: ${[...new Set(categories)].join(', ')}`;

function recipientsOf(collections: readonly Processing[]): string[] {
  const told = collections
    .filter(({ recipients }) => recipients.length > 0)
    .map(({ title, recipients }) => `${title}: ${recipients.join(', ')}`);
  return told.length > 0 ? told : ['No recipients outside are recorded.'];
}

function retentionOf({ title, retention }: Processing): string {
  if (typeof retention === 'string') return `${title}: ${retention}`;
  const time = retention.keep
    ? Duration.fromISO(retention.keep).reconfigure({ locale: 'en' }).toHuman()
    : 'until it is deleted';
  return `${title}: ${time}${retention.note ? ` (${retention.note})` : ''}`;
}

function sourcesOf(collections: readonly Processing[]): string[] {
  const elsewhere = collections.flatMap(({ title, source }) => (source ? [`${title}: ${source}`] : []));
  return elsewhere.length > 0
    ? [...elsewhere, 'Everything else was collected from you or arose while you used the product.']
    : ['It was collected from you or arose while you used the product; no other source is recorded.'];
}

function rightsUnder({ law }: Matter): string[] {
  switch (law) {
    case 'gdpr':
    case 'uk-gdpr':
      return [
        'You may ask for rectification of what is wrong (Art. 16) and for erasure (Art. 17).',
        'You may ask that processing be restricted (Art. 18), and object to it (Art. 21).',
        'You may ask for what you provided in a portable form (Art. 20). Where processing rests on consent, you may withdraw it at any time.',
      ];
    case 'ccpa':
      return [
        'You may ask us to delete what we collected from you and to correct what is wrong.',
        'You may opt out of sale and sharing, and limit the use of sensitive personal information.',
        'We may not discriminate against you for using these rights.',
      ];
    case 'contract':
      return ['The contract says what the owner of the workspace may ask for.'];
    default:
      return [
        'You may ask for correction of what is wrong, and, where the law provides for it, for deletion or an end of use.',
      ];
  }
}
