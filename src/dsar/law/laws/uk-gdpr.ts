import { type Law, months, type ResponseRule } from '../law.js';

// Art. 12A came into force on 5 February 2026 (Data (Use and Access) Act 2025 s. 76, SI 2026/82 reg. 2).
const oneMonth: ResponseRule = {
  within: months(1),
  source: 'UK GDPR Art. 12(3), 12A(1)-(2) (Data (Use and Access) Act 2025 s. 76)',
  text: 'Without undue delay and in any event within one month of receipt; counted, as the regulator does, to the corresponding date of the next month or its last day.',
  verified: true,
};

export const ukGdpr: Law = {
  id: 'uk-gdpr',
  name: 'UK GDPR and Data Protection Act 2018',
  home: 'GB',
  response: { access: oneMonth, deletion: oneMonth },
  acknowledgement: null,
  extension: {
    by: months(2),
    source: 'UK GDPR Art. 12A(3)-(4)',
    text: 'Two further months by reason of the complexity or number of requests; notice with the reasons within the first month.',
    verified: true,
  },
  rollover: {
    rolls: true,
    source: 'ICO, Right of access, "How long do we have to comply?"',
    text: 'A period that would end on a weekend or public holiday ends with the next working day.',
    verified: false, // not held against the guidance as rewritten for Art. 12A
  },
  identityDoubt: {
    pausable: true,
    source: 'UK GDPR Art. 12(6), 12A(2)(b)',
    text: 'Time runs from the receipt of the information requested to confirm identity, where that is later than the request.',
    verified: true,
  },
  remedies: { source: 'UK GDPR Art. 12(4), 79; Data Protection Act 2018 ss. 164A, 165, 167', verified: true },
};
