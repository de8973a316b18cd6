import { days, doesNotRoll, type Law, neverPauses } from '../law.js';

export const pipeda: Law = {
  id: 'pipeda',
  name: 'Personal Information Protection and Electronic Documents Act (PIPEDA)',
  home: 'CA',
  response: {
    access: {
      within: days(30),
      source: 'PIPEDA s. 8(3); Schedule 1, clause 4.9',
      text: 'With due diligence and in any case not later than thirty days after receipt.',
      verified: true,
    },
    deletion: {
      within: days(30),
      ownTarget: true,
      source: 'PIPEDA Schedule 1, clauses 4.3.8 and 4.5.3; term borrowed from s. 8(3)',
      text: 'The Act asks for destruction of what is no longer needed but sets no term; we hold ourselves to the thirty days of access.',
      verified: false,
    },
  },
  acknowledgement: null,
  extension: {
    by: days(30),
    source: 'PIPEDA s. 8(4)',
    text: 'Thirty more days at most, where the limit would unreasonably interfere with activities or consultations are needed; notice within the first thirty days.',
    verified: true,
  },
  rollover: doesNotRoll,
  identityDoubt: neverPauses,
  remedies: { source: 'PIPEDA ss. 8(7), 11, 14', verified: true },
};
