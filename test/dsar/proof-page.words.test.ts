import { describe, expect, test } from '@jest/globals';
import { proofPage } from '../../src/dsar/proof/page.js';
import { type ProvenFacts } from '../../src/dsar/proof/proof.schema.js';
import { inWords } from '../../src/dsar/timeline-words.js';

const open: ProvenFacts = {
  state: 'open',
  requestId: '63f0190b-e9da-4d3e-8f52-c4828c208953',
  kind: 'access',
  scope: 'person',
  workspace: '<i>Acme</i>',
  controller: { name: 'Acme & Söhne', contact: 'desk@acme.example', dpo: 'dpo@acme.example' },
  receivedAt: '2026-11-18T23:30:00Z',
  zone: 'Europe/Berlin',
  status: 'scheduled',
  outcome: null,
  dueOn: '2026-12-21',
  overdue: false,
  extended: false,
  paused: false,
  undecidedParts: 0,
  closedAt: null,
  refusals: [],
  package: null,
  certificate: null,
  timeline: [],
  mayWithdraw: true,
  mayWaive: false,
};
const closed: ProvenFacts = {
  ...open,
  state: 'closed',
  closedAt: '2026-11-21T09:00:00Z',
  mayWithdraw: false,
  mayWaive: false,
};
const pageOf = (its: Partial<ProvenFacts>, base = open) =>
  proofPage({ ...base, ...its }, 'token').replaceAll(/\s+/g, ' ');

describe('the status page', () => {
  test('tells dates in the zone of the request, and names the zone', () => {
    expect(pageOf({})).toContain('19 November 2026');
    expect(pageOf({})).toContain('Times are in Central European Time.');
    expect(pageOf({})).toContain('<time datetime="2026-12-21">21 December 2026</time>');
  });

  test('keeps names in their place and says whom to ask', () => {
    expect(pageOf({})).toContain('&#60;i&#62;Acme&#60;/i&#62;');
    expect(pageOf({})).not.toContain('<i>Acme');
    expect(pageOf({})).toContain('Questions: <bdi>dpo@acme.example</bdi>');
  });

  test.each<[string, Partial<ProvenFacts>, string]>([
    ['is worked on', {}, 'Your request is being worked on'],
    ['waits for a decision', { undecidedParts: 1 }, 'Your request waits for a decision'],
    ['is paused', { paused: true }, 'The time limit is paused'],
    ['was extended', { extended: true }, '21 December 2026</time> (extended)'],
    ['is overdue', { overdue: true }, '21 December 2026</time> (overdue)'],
    ['failed', { status: 'failed' }, 'Somebody looks after it'],
  ])('says of an open request that it %s, and lets it be withdrawn', (_, its, words) => {
    expect(pageOf(its)).toContain(words);
    expect(pageOf(its)).toContain('value="withdraw"');
  });

  const ready = { status: 'ready', expiresAt: '2026-11-28T09:00:00Z' };
  test.each<[string, Partial<ProvenFacts>, string]>([
    [
      'where the copy is',
      { status: 'fulfilled', outcome: 'full', package: ready },
      'leads to your copy until 28 November 2026 at 10:00 (Central European Time)',
    ],
    [
      'that the copy is gone',
      { status: 'fulfilled', outcome: 'full', package: { ...ready, status: 'expired' } },
      'was removed after its time',
    ],
    [
      'that a part is missing',
      { status: 'fulfilled', outcome: 'partial', package: ready },
      'fulfilled in part',
    ],
    ['that nothing was found', { status: 'fulfilled', outcome: 'no_data' }, 'Nothing was found about you'],
    ['that it was withdrawn', { status: 'withdrawn' }, 'This request was withdrawn'],
  ])('says of a closed request %s, and offers nothing to press', (_, its, words) => {
    expect(pageOf(its, closed)).toContain(words);
    expect(pageOf(its, closed)).not.toContain('<button');
  });

  test('gives the ground of a refusal with its source', () => {
    const refusal = {
      title: 'Excessive',
      text: 'It repeats an earlier one.',
      source: 'Art. 12(5) GDPR',
      part: false,
    };
    const page = pageOf({ status: 'refused', refusals: [refusal] }, closed);
    expect(page).toContain(
      '<h2>Excessive</h2> <p>It repeats an earlier one.</p> <p class="soft">Art. 12(5) GDPR</p>',
    );
    expect(pageOf({ refusals: [{ ...refusal, part: true }] })).toContain('A part was refused: Excessive');
  });
});

describe('a timeline in words', () => {
  const entry = (action: string, metadata = {}) => ({
    at: open.receivedAt,
    action,
    by: 'job',
    outcome: 'success',
    metadata,
  });
  const textOf = (action: string, metadata = {}) =>
    inWords([entry(action, metadata)]).map(({ text }) => text);

  test('leaves out what is the machinery’s own', () => {
    expect(textOf('request.verification_started')).toEqual([]);
    expect(textOf('request.scheduled', { awaiting: 0 })).toEqual([]);
    expect(textOf('toString')).toEqual([]);
  });

  test('says how identity was proven and what came of it', () => {
    expect(textOf('identity.proven', { method: 'link' })).toEqual(['The address was confirmed']);
    expect(textOf('identity.proven', { method: 'manual' })).toEqual(['Identity was proven']);
    expect(textOf('request.fulfilled', { outcome: 'no_data' })).toEqual([
      'We searched and found nothing about you',
    ]);
  });
});
