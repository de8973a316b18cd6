import { type Law, months, type ResponseRule } from '../law.js';

const oneMonth: ResponseRule = {
  within: months(1),
  source:
    'GDPR (Regulation (EU) 2016/679) Art. 12(3), first sentence; Regulation (EEC, Euratom) No 1182/71 Art. 3(1), 3(2)(c)',
  text: 'Without undue delay and in any event within one month of receipt. The month ends on the same date of the next month, or on its last day where there is no such date.',
  verified: true,
};

export const gdpr: Law = {
  id: 'gdpr',
  name: 'General Data Protection Regulation (GDPR)',
  home: 'EU',
  response: { access: oneMonth, deletion: oneMonth },
  acknowledgement: null,
  extension: {
    by: months(2),
    source: 'GDPR Art. 12(3), second and third sentence',
    text: 'Two further months where the complexity and number of requests make it necessary; the person is told, with the reasons, within one month of receipt.',
    verified: true,
  },
  rollover: {
    rolls: true,
    source: 'Regulation (EEC, Euratom) No 1182/71 Art. 3(4), Art. 2; EDPB Guidelines 01/2022, section 5.3',
    text: 'A period that would end on a public holiday, Sunday or Saturday ends with the next working day.',
    verified: true,
  },
  identityDoubt: {
    pausable: true,
    source: 'GDPR Art. 12(6); EDPB Guidelines 01/2022, section 5.3',
    text: 'Where there are reasonable doubts about identity and more information was asked for without undue delay, time may be suspended until it arrives.',
    verified: false,
  },
  remedies: { source: 'GDPR Art. 12(4), 77, 79', verified: true },
};
