import { doesNotRoll, type Law, neverPauses, workingDays } from '../law.js';

export const bhPdpl: Law = {
  id: 'bh-pdpl',
  name: 'Bahraini Personal Data Protection Law (PDPL)',
  home: 'BH',
  response: {
    access: {
      within: workingDays(15),
      source: 'Law No. 30 of 2018, Art. 18',
      text: 'An answer within fifteen working days of receipt.',
      verified: false,
    },
    deletion: {
      within: workingDays(10),
      source: 'Law No. 30 of 2018, Art. 23',
      text: 'An answer to a request for rectification, blocking or erasure within ten working days of receipt.',
      verified: false,
    },
  },
  acknowledgement: null,
  extension: null,
  rollover: doesNotRoll, // working days never end on a weekend anyway
  identityDoubt: neverPauses,
  remedies: { source: 'Law No. 30 of 2018', verified: false },
};
