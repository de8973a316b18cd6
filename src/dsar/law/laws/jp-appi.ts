import { days, doesNotRoll, type Law, neverPauses } from '../law.js';

export const jpAppi: Law = {
  id: 'jp-appi',
  name: 'Act on the Protection of Personal Information (APPI)',
  home: 'JP',
  response: {
    access: {
      within: days(14),
      ownTarget: true,
      source: 'APPI (Act No. 57 of 2003) Art. 33(2)',
      text: 'The law says without delay and names no number; fourteen days are our own target.',
      verified: true,
    },
    deletion: {
      within: days(14),
      ownTarget: true,
      source: 'APPI (Act No. 57 of 2003) Art. 34(2), 35(2), 35(6)',
      text: 'The law says without delay and names no number; fourteen days are our own target.',
      verified: true,
    },
  },
  acknowledgement: null,
  extension: null,
  rollover: doesNotRoll,
  identityDoubt: neverPauses,
  remedies: { source: 'APPI Art. 39, 40', verified: false },
};
