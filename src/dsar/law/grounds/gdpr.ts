import { type Ground, onAccess, onBoth, onDeletion } from './ground.js';

/** The UK GDPR numbers these articles alike, so its list takes them over under its own name. */
export const articlesOf = (law: 'GDPR' | 'UK GDPR'): Ground[] => [
  ...onBoth([
    [
      'identity_not_proven',
      `${law} Art. 12(6), 12(2)`,
      'Identity not proven',
      'We have reasonable doubts about who made this request, and they were not resolved. We may not hand over or erase personal data for somebody we cannot identify.',
    ],
    [
      'no_data',
      `${law} Art. 11(2), 12(2)`,
      'No data that can be tied to the person',
      'With the details you gave us we cannot find or identify any personal data about you. If you can give us more, we will search again.',
    ],
    [
      'manifestly_unfounded',
      `${law} Art. 12(5)(b)`,
      'Manifestly unfounded',
      'This request is manifestly unfounded: it was not made to exercise a right, which we have to be able to show.',
    ],
    [
      'manifestly_excessive',
      `${law} Art. 12(5)(b)`,
      'Manifestly excessive',
      'This request is manifestly excessive, in particular because it repeats earlier ones without anything having changed.',
    ],
    [
      'duplicate',
      `${law} Art. 12(5)(b)`,
      'The same request is open already',
      'You have the same request open with us already. We answer that one, in its own time, and close this one.',
    ],
  ]),
  ...onAccess([
    [
      'rights_of_others',
      `${law} Art. 15(4)`,
      'Rights and freedoms of others',
      'Giving you a copy of this would adversely affect the rights and freedoms of other people. We leave out only what does.',
    ],
    [
      'trade_secrets',
      `${law} Art. 15(4), recital 63`,
      'Trade secrets and intellectual property',
      'This would reveal trade secrets or intellectual property of others, such as copyright protecting software. We leave out only what does.',
    ],
  ]),
  ...onDeletion([
    [
      'no_erasure_ground',
      `${law} Art. 17(1)`,
      'None of the grounds for erasure applies',
      'The law asks for erasure only on certain grounds. The data is still needed for the purpose it was collected for, its legal basis stands, and it is processed lawfully.',
    ],
    [
      'freedom_of_expression',
      `${law} Art. 17(3)(a)`,
      'Freedom of expression and information',
      'Processing this data is necessary for exercising the right of freedom of expression and information.',
    ],
    [
      'legal_obligation',
      `${law} Art. 17(3)(b)`,
      'Legal obligation or public task',
      'A law obliges us to keep this data, tax and accounting law for instance, or it is needed for a task in the public interest. We keep it no longer than that.',
    ],
    [
      'public_health',
      `${law} Art. 17(3)(c)`,
      'Public interest in public health',
      'This data is necessary for reasons of public interest in the area of public health.',
    ],
    [
      'archiving_research',
      `${law} Art. 17(3)(d)`,
      'Archiving, research or statistics',
      'This data serves archiving in the public interest, research or statistics, and erasing it would make those aims impossible or seriously impair them.',
    ],
    [
      'legal_claims',
      `${law} Art. 17(3)(e)`,
      'Legal claims',
      'This data is necessary to establish, exercise or defend legal claims.',
    ],
  ]),
];

export const gdprGrounds: readonly Ground[] = [
  ...articlesOf('GDPR'),
  ...onBoth([
    [
      'national_restriction',
      'GDPR Art. 23 and the law of the Member State',
      'Restricted by Union or Member State law',
      'Union law or the law of the Member State that applies to us restricts this right in your case.',
    ],
  ]),
];
