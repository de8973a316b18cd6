import { type MailParams, type Template } from '../../src/mail/catalogue/params.js';

const zone = 'Europe/Berlin';
const asked = { kind: 'access', scope: 'account' } as const;
const sender = { controller: 'Atelier', contact: 'privacy@atelier.example' };
const about = { ...sender, reference: '7f1c6f5e-2a4b-4f0e-9d3c-51a6f2b0c9de', asked };
const receivedOn = { on: '2026-11-20', zone };
const dueOn = { on: '2026-12-21', zone };
const link = `https://habeas.example/p/${'Qm9uam91cg'.repeat(6)}abcd`;
const expires = { at: '2026-11-27T12:00:00Z', zone };
const rights = [
  'If you think we are wrong, tell us and we will look again.',
  'You can also complain to a supervisory authority, for instance where you live (Art. 77 GDPR), or go to court (Art. 79 GDPR).',
];
const contents = [
  { label: 'Messages', count: 12_345 },
  { label: 'Attachments', count: 18 },
  { label: 'Invoices', count: 3 },
];

const gone = { kind: 'deletion', scope: 'workspace', workspace: 'Acme' } as const;
const goes = {
  ...about,
  asked: gone,
  workspace: 'Acme',
  goesAt: { at: '2026-12-20T12:00:00Z', zone: 'UTC' },
};

/** One of each letter, as dsar would ask for it. */
export const samples: { [T in Template]: MailParams[T] } = {
  'verify-identity': { ...sender, asked, receivedOn, link, expires },
  'verify-reminder': { ...sender, asked: { ...asked, kind: 'deletion' }, receivedOn, link, expires },
  'request-received': { ...about, receivedOn, dueOn, law: 'GDPR, Art. 15' },
  'request-acknowledged': {
    ...about,
    receivedOn,
    dueOn,
    law: 'CCPA, Cal. Civ. Code § 1798.130',
    process: ['We compare what you told us with what we hold, then collect your data.'],
  },
  'package-ready': {
    ...about,
    link,
    expires,
    contents,
    leftOut: ['Studio Nord: nobody decided in time.'],
    rights,
  },
  'package-for-workspace': {
    ...about,
    asked: { kind: 'access', scope: 'workspace', workspace: 'Acme' },
    workspace: 'Acme',
    link,
    expires,
    contents,
  },
  'account-ends': {
    ...about,
    asked: { kind: 'deletion', scope: 'account', endedWith: 'Acme' },
    dueOn,
    law: 'GDPR, Art. 17',
    rights,
  },
  'request-no-data': { ...about, rights },
  'request-refused': {
    ...about,
    grounds: [
      ['This request is manifestly excessive (Art. 12(5) GDPR): it repeats one that we answered last week.'],
    ],
    rights,
  },
  'request-refused-part': {
    ...about,
    parts: [
      {
        part: ['the workspace “Studio Nord”'],
        ground: ['It would reveal other people’s data (Art. 15(4) GDPR).'],
      },
    ],
    rights,
  },
  'request-extended': {
    ...about,
    previousDueOn: dueOn,
    dueOn: { on: '2027-02-22', zone },
    reason: ['Your data is spread over many workspaces, and each has to be gone through with care.'],
    rights,
  },
  'request-paused': {
    ...about,
    reason: ['The request came from an address that differs from the one in your account.'],
    needed: ['Write to us from the address in your account, or tell us the date of your last invoice.'],
    rights,
  },
  'deletion-done': {
    ...about,
    asked: { kind: 'deletion', scope: 'account' },
    deleted: 6,
    recipients: ['Our mail provider'],
    kept: [{ label: 'Invoices', why: 'Tax law (§ 147 AO). Until: the end of 2036.' }],
    backupsGoneBy: { on: '2026-12-20', zone: 'UTC' },
    keys: 'https://habeas.example/.well-known/habeas-keys.json',
    link: 'https://habeas.example/p/3fWq',
    certificate: Buffer.from('{"format":"habeas-erasure-certificate/1","residues":0}').toString('base64'),
    rights,
  },
  'request-withdrawn': about,
  'identity-refused': { ...about, ground: ['We could not identify you (Art. 12(6) GDPR).'], rights },
  'workspace-deletion-scheduled': { ...goes, why: 'subscription_ended' },
  'workspace-deletion-reminder': { ...goes, days: 7 },
  'workspace-deletion-cancelled': { ...about, asked: gone, workspace: 'Acme' },
  'workspace-deleted': {
    ...about,
    asked: gone,
    workspace: 'Acme',
    deleted: 9,
    kept: [{ label: 'Invoices', why: 'Tax law (§ 147 AO). Until: the end of 2036.' }],
    recipients: ['Search cluster'],
    backupsGoneBy: { on: '2027-01-19', zone: 'UTC' },
    keys: 'https://habeas.example/.well-known/habeas-keys.json',
    certificate: Buffer.from('{"format":"habeas-erasure-certificate/1","residues":0}').toString('base64'),
  },
  'part-approval-needed': { ...about, workspace: 'Acme', decideBy: { on: '2026-12-18', zone } },
};
