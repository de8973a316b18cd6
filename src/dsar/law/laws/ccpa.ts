import { days, doesNotRoll, type Law, type ResponseRule, workingDays } from '../law.js';

const fortyFiveDays: ResponseRule = {
  within: days(45),
  source: 'Cal. Civ. Code § 1798.130(a)(2)(A); Cal. Code Regs. tit. 11, § 7021(b)',
  text: 'No later than 45 calendar days after receipt.',
  verified: true,
};

export const ccpa: Law = {
  id: 'ccpa',
  name: 'California Consumer Privacy Act (CCPA)',
  home: 'US-CA',
  response: { access: fortyFiveDays, deletion: fortyFiveDays },
  acknowledgement: {
    within: workingDays(10),
    source: 'Cal. Code Regs. tit. 11, § 7021(a)',
    text: 'Receipt is confirmed no later than 10 business days after receipt, with word on how the request will be processed.',
    verified: true,
  },
  extension: {
    by: days(45),
    source: 'Cal. Civ. Code § 1798.130(a)(2)(A); Cal. Code Regs. tit. 11, § 7021(b)',
    text: 'Once, by 45 more days (90 from receipt at most), with notice and an explanation within the first 45.',
    verified: true,
  },
  rollover: doesNotRoll,
  identityDoubt: {
    pausable: false,
    source: 'Cal. Code Regs. tit. 11, § 7021(b)',
    text: 'The 45 days begin on the day of receipt, regardless of the time required to verify the request.',
    verified: true,
  },
  remedies: { source: 'Cal. Civ. Code § 1798.130(a), 1798.145(h)(2), 1798.199.45', verified: true },
};
