import { type Ground, onAccess, onBoth, onDeletion, uncheckedOnBoth } from './ground.js';

const deletion = (paragraph: number) => `Cal. Civ. Code § 1798.105(d)(${paragraph})`;

export const ccpaGrounds: readonly Ground[] = [
  ...onBoth([
    [
      'identity_not_proven',
      'Cal. Code Regs. tit. 11, §§ 7022(a), 7024(a)-(b)',
      'Identity cannot be verified',
      'We cannot verify your identity to the degree of certainty that this request needs. Our privacy policy describes how we collect, use and share personal information.',
    ],
    [
      'no_data',
      'Cal. Civ. Code § 1798.130(a)(3), 1798.145(j)',
      'No personal information found',
      'With the details you gave us we find no personal information about you, and the law does not ask us to identify people anew for this.',
    ],
    [
      'manifestly_unfounded',
      'Cal. Civ. Code § 1798.145(h)(3)',
      'Manifestly unfounded or excessive',
      'This request is manifestly unfounded or excessive, in particular because it is repetitive, which we have to be able to show.',
    ],
    [
      'rights_of_others',
      'Cal. Civ. Code § 1798.145(k)',
      'Rights and freedoms of others',
      'Doing what you ask would adversely affect the rights and freedoms of other people.',
    ],
    [
      'compliance',
      'Cal. Civ. Code § 1798.145(a)',
      'Compliance with laws, investigations, legal claims',
      'We have to comply with other laws, with an investigation or with a law enforcement agency, or we exercise or defend legal claims.',
    ],
    [
      'privilege',
      'Cal. Civ. Code § 1798.145(b)',
      'Evidentiary privilege',
      'Doing what you ask would violate an evidentiary privilege under California law.',
    ],
    [
      'other_privacy_law',
      'Cal. Civ. Code § 1798.145(c)-(g)',
      'Covered by another privacy law',
      'This information is governed by another law instead, such as those on medical, credit, financial or driver information.',
    ],
    [
      'not_a_consumer',
      'Cal. Civ. Code § 1798.140(i)',
      'Not a California resident',
      'This law gives its rights to residents of California, and to our knowledge you are not one.',
    ],
  ]),
  ...uncheckedOnBoth([
    [
      'duplicate',
      'Cal. Civ. Code § 1798.145(h)(3)',
      'The same request is open already',
      'You have the same request open with us already. We answer that one, in its own time, and close this one.',
    ],
  ]),
  ...onAccess([
    [
      'twice_a_year',
      'Cal. Civ. Code § 1798.130(b)',
      'More than twice in twelve months',
      'We have answered two such requests of yours in the last twelve months; the law does not ask us to answer more.',
    ],
    [
      'sensitive_identifiers',
      'Cal. Code Regs. tit. 11, § 7024(d)',
      'Identifiers too sensitive to send',
      'We may not send identifiers such as social security, driver’s license, account or medical numbers, passwords or biometric data. We do tell you that we hold them.',
    ],
    [
      'not_searchable',
      'Cal. Code Regs. tit. 11, § 7024(c)',
      'Not searchable and kept for compliance only',
      'These records are not searchable, are kept only for legal or compliance purposes, and are neither sold nor used commercially. We describe their categories to you.',
    ],
  ]),
  ...onDeletion([
    [
      'not_collected_from_you',
      'Cal. Civ. Code § 1798.105(a)',
      'Not collected from the person',
      'The right to deletion covers what we collected from you. This came from elsewhere.',
    ],
    [
      'transaction',
      deletion(1),
      'Transaction, contract, warranty or recall',
      'We need this to complete the transaction or contract with you, to provide what you asked for, or for a warranty or recall.',
    ],
    [
      'security',
      deletion(2),
      'Security and integrity',
      'We need this to help to ensure security and integrity.',
    ],
    [
      'debugging',
      deletion(3),
      'Debugging',
      'We need this to identify and repair errors that impair existing functionality.',
    ],
    [
      'free_speech',
      deletion(4),
      'Free speech',
      'We need this to exercise free speech, to ensure another consumer’s right to it, or to exercise another right provided for by law.',
    ],
    [
      'calecpa',
      deletion(5),
      'California Electronic Communications Privacy Act',
      'We need this to comply with the California Electronic Communications Privacy Act (Penal Code § 1546 and following).',
    ],
    [
      'research',
      deletion(6),
      'Research in the public interest',
      'This serves public or peer-reviewed research to which you consented, and deleting it would make that impossible or seriously impair it.',
    ],
    [
      'expected_internal_use',
      deletion(7),
      'Internal uses that you can expect',
      'We use this only internally, in ways reasonably aligned with what you can expect of your relationship with us.',
    ],
    ['legal_obligation', deletion(8), 'Legal obligation', 'A law obliges us to keep this.'],
  ]),
];
