import { type LawId } from '../law.js';
import { lawOf } from '../laws.js';
import { type Matter } from '../legal-text.js';
import { placeOf } from '../places.js';

/** Where a person can turn, law by law: first the complaint, then the court. `authority` is null where only the country would tell. */
const remedies: Record<LawId, (authority: string | null) => readonly [complaint: string, court: string]> = {
  gdpr: (authority) => [
    authority
      ? `You have the right to lodge a complaint with ${authority}, or with the supervisory authority of the country where you live, where you work, or where you think the infringement happened (GDPR Art. 77).`
      : 'You have the right to lodge a complaint with a supervisory authority, in particular in the country where you live, where you work, or where you think the infringement happened (GDPR Art. 77).',
    'You also have the right to seek a judicial remedy before the courts (GDPR Art. 79).',
  ],
  'uk-gdpr': (authority) => [
    `You may complain to us, and you have the right to complain to ${authority ?? 'the Information Commissioner (ICO)'} (Data Protection Act 2018 ss. 164A and 165).`,
    'You also have the right to seek a judicial remedy before the courts (UK GDPR Art. 79, Data Protection Act 2018 s. 167).',
  ],
  ccpa: (authority) => [
    `You may ask us to look at this again by answering this mail, and you may complain to ${authority ?? 'the California Privacy Protection Agency'} or to the Attorney General of California.`,
    'Whatever remedy the courts offer you remains open to you.',
  ],
  lgpd: (authority) => [
    `You have the right to petition ${authority ?? 'the Brazilian data protection authority (ANPD)'} and consumer protection bodies (LGPD Art. 18, §§ 1 and 8).`,
    'You may also defend your rights in court, alone or together with others (LGPD Art. 22).',
  ],
  pipeda: (authority) => [
    `You have the right to file a complaint with ${authority ?? 'the Office of the Privacy Commissioner of Canada'} (PIPEDA s. 11).`,
    'After the Commissioner’s report you may apply to the Federal Court for a hearing (PIPEDA s. 14).',
  ],
  'sa-pdpl': (authority) => [
    `You may complain to ${authority ?? 'the Saudi Data and Artificial Intelligence Authority (SDAIA)'} within 90 days (Implementing Regulation Art. 37).`,
    'You may also claim compensation before the competent court.',
  ],
  'bh-pdpl': (authority) => [
    `You may complain to ${authority ?? 'the Personal Data Protection Authority of Bahrain'}.`,
    'You may also turn to the competent court.',
  ],
  'jp-appi': (authority) => [
    `You may complain to us, and you may consult ${authority ?? 'the Personal Information Protection Commission (PPC)'}.`,
    'You may also bring an action before a court (APPI Art. 39 says when).',
  ],
};

/** Of whom it is not known where they live: no authority of a country they may never have seen. */
const wherever = (authority: string | null | undefined): readonly string[] => [
  `You may complain to ${authority ? `${authority}, or to ` : ''}the data protection authority of the place where you live or work.`,
  'You may also turn to the competent court there.',
];

/** The rights to complain and to go to court: the controller's own authority, else that of the place. None under a contract. */
export function remediesIn({ law, jurisdiction, controller, assumed }: Matter): readonly string[] {
  if (law === 'contract') return [];
  if (assumed) return wherever(controller.authority ?? placeOf(controller.establishment)?.authority);
  const place = placeOf(jurisdiction) ?? placeOf(lawOf(law).home);
  // A workspace's authority is one of its own law: a French agency says nothing to a Californian.
  const own = placeOf(controller.establishment);
  const authority = !own || own.law === law ? controller.authority : undefined;
  return remedies[law](authority ?? (place?.law === law ? place.authority : null));
}
