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
  blockers: [],
  runAfter: null,
  delaysEndOn: '2026-12-18',
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

describe('a deletion that waits', () => {
  const deletion: ProvenFacts = {
    ...open,
    kind: 'deletion',
    scope: 'account',
    runAfter: '2026-11-19T23:30:00Z',
  };
  const blockers = {
    sole_owner: {
      code: 'sole_owner',
      message: 'You are the only owner of 2 workspaces. Make somebody else an owner, or delete it first.',
    },
    held: { code: 'held', message: 'The data has to be kept for now: a lawsuit of <i>Acme</i>.' },
    access_open: { code: 'access_open', message: 'A copy of your data has not been downloaded yet.' },
    cooling_off: { code: 'cooling_off', message: 'until 2026-11-19T23:30:00.000Z' },
  } as const;
  type Code = keyof typeof blockers;
  const waiting = (codes: Code[], its: Partial<ProvenFacts> = {}) =>
    pageOf({ blockers: codes.map((code) => blockers[code]), ...its }, deletion);
  const endOfWait = '<time datetime="2026-12-18">18 December 2026 (Central European Time)</time>';

  test.each<[Code[], string, string[]]>([
    [
      ['sole_owner'],
      'Something stands in the way of your deletion',
      [
        'You are the only owner of 2 workspaces. Make somebody else an owner',
        'Sign in where you use the workspace',
        'its deletion is scheduled',
        'our answer by <time datetime="2026-12-21">21 December 2026 (Central European Time)</time>',
      ],
    ],
    [
      ['held'],
      'Something stands in the way of your deletion',
      ['a lawsuit of &#60;i&#62;Acme', 'need not do anything'],
    ],
    [
      ['access_open'],
      'Your deletion waits for your copy',
      ['has not been downloaded yet', `its link has ended, until ${endOfWait} at the latest`],
    ],
    [['cooling_off'], 'Your deletion has not begun yet', []],
  ])('for %s says so, and how it ends', (codes, title, words) => {
    const page = waiting(codes);
    expect(page).toContain(`<h1>${title}</h1>`);
    for (const part of words) expect(page).toContain(part);
    expect(page).toContain('Nothing has been deleted yet.');
    expect(page).toContain('To keep your account and your data, withdraw this request');
    expect(page).not.toContain('being worked on');
  });

  test('says when it begins, as soon as that is known', () => {
    const begins = /Deletion begins<\/dt> <dd><bdi>(.*?)<\/bdi>/;
    const at =
      '<time datetime="2026-11-19T23:30:00Z">20 November 2026 at 0:30 (Central European Time)</time>';
    expect(begins.exec(waiting(['cooling_off']))?.[1]).toBe(`${at}, if nothing stands in the way then`);
    expect(waiting(['cooling_off'])).toContain(`Nothing is deleted before ${at}.`);
    expect(begins.exec(waiting(['held', 'cooling_off']))?.[1]).toBe(
      `${at}, if nothing else stands in the way then`,
    );
    expect(begins.exec(waiting(['sole_owner']))?.[1]).toBe('As soon as nothing stands in the way');
  });

  test('for several things names each, first what does not end by itself', () => {
    const page = waiting(['cooling_off', 'access_open', 'sole_owner'], { mayWaive: true });
    const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);
    expect(headings).toEqual([
      'A workspace would be left without an owner',
      'Your copy comes first',
      'You can still change your mind',
      'What happened so far',
    ]);
    expect(page).toContain('If you can do without the copy, say so at the end of this page');
    expect(page).not.toContain('2026-11-19T23:30:00.000Z');
  });

  test('for a decision says that too', () => {
    expect(waiting(['cooling_off'], { undecidedParts: 1 })).toContain('Others decide about a part');
  });

  test('promises no end of waiting and no answer where the time limit is paused or there is none', () => {
    for (const its of [
      { paused: true, delaysEndOn: null },
      { dueOn: null, delaysEndOn: null },
    ]) {
      expect(waiting(['access_open', 'sole_owner'], its)).toContain('or its link has ended. The link');
      expect(waiting(['access_open', 'sole_owner'], its)).not.toContain('our answer by');
    }
  });

  test('that has begun is stopped by what has to be kept alone, and does not say that all is there', () => {
    const page = waiting(['sole_owner', 'held'], { status: 'in_progress' });
    expect(page).toContain('Some data has to be kept');
    expect(page).not.toMatch(/only owner|Nothing has been deleted|Deletion begins/);
    expect(waiting(['sole_owner'], { status: 'in_progress' })).toContain('being worked on');
  });

  test('and nothing that the person may know of stands in the way: it is worked on', () => {
    expect(waiting([])).toContain('Your request is being worked on');
    expect(waiting([])).not.toMatch(/stands in the way|Nothing has been deleted/);
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
