import { days, doesNotRoll, type Law, neverPauses, type ResponseRule } from '../law.js';

const thirtyDays: ResponseRule = {
  within: days(30),
  source: 'Implementing Regulation of the Personal Data Protection Law (Royal Decree M/19), Art. 3(1)(a)',
  text: 'Without delay and within a period not exceeding 30 days.',
  verified: true,
};

export const saPdpl: Law = {
  id: 'sa-pdpl',
  name: 'Saudi Personal Data Protection Law (PDPL)',
  home: 'SA',
  response: { access: thirtyDays, deletion: thirtyDays },
  acknowledgement: null,
  extension: {
    by: days(30),
    source: 'Implementing Regulation of the Personal Data Protection Law, Art. 3(1)(a)',
    text: 'Not more than 30 additional days, for disproportionate effort or several requests of one person; told in advance, with the reasons.',
    verified: true,
  },
  rollover: doesNotRoll,
  identityDoubt: neverPauses,
  remedies: {
    source: 'Personal Data Protection Law Art. 34, 40; Implementing Regulation Art. 37',
    verified: false,
  },
};
