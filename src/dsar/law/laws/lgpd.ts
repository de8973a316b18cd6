import { days, doesNotRoll, type Law, neverPauses } from '../law.js';

export const lgpd: Law = {
  id: 'lgpd',
  name: 'Lei Geral de Proteção de Dados (LGPD)',
  home: 'BR',
  response: {
    access: {
      within: days(15),
      source: 'Lei nº 13.709/2018, Art. 19, II',
      text: 'A clear and complete declaration within 15 days of the request.',
      verified: true,
    },
    deletion: {
      within: days(15),
      ownTarget: true,
      source: 'Lei nº 13.709/2018, Art. 18, §§ 3-5; term borrowed from Art. 19, II',
      text: 'The term is left to a regulation that does not set one; we hold ourselves to the 15 days of access.',
      verified: false,
    },
  },
  acknowledgement: null,
  extension: null,
  rollover: doesNotRoll,
  identityDoubt: neverPauses,
  remedies: { source: 'Lei nº 13.709/2018, Art. 18, § 1; Art. 22', verified: true },
};
