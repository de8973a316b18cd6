import { html, type Html } from '../../http/html.js';
import { facts, layout, type Page, time } from '../../http/page-layout.js';
import { type ProblemPages } from '../../http/page-problem.js';
import { Formats } from '../../mail/catalogue/formats.js';
import { dateIn } from '../law/calendar.js';
import { type ProofFacts, type ProvenFacts, type UnprovenFacts } from './proof.schema.js';
import { inWords } from '../timeline-words.js';
import { waitingWords } from './waiting-words.js';

/** The page behind the link that proves an address: one button before the proof, and how things are after it. */
export const proofPage = (its: ProofFacts, token: string): string =>
  layout(its.state === 'unproven' ? confirmPage(its) : statusPage(its, token));

const confirmPage = (its: UnprovenFacts): Page => ({
  title: 'Is this your request?',
  from: its.controller.name,
  body: html`
    <p>
      Somebody asked <bdi>${its.controller.name}</bdi> for ${asked(its)} and gave this mail address. By
      confirming you prove that the address is yours; only then do we begin.
    </p>
    ${facts([
      ['What was asked', askedShortly(its)],
      ['Received on', day(its.receivedAt, its.zone)],
      ['Confirm until', time(its.linkEndsAt, say.moment({ at: its.linkEndsAt, zone: its.zone }))],
    ])}
    <form method="post"><button name="action" value="confirm">Yes, this is my request</button></form>
    <h2>If it is not yours</h2>
    <p>
      You need not do anything. Without your confirmation nothing is handed over, changed or deleted, and the
      request ends by itself. This page does not tell whether anything is held about you.
    </p>
  `,
  foot: foot(its),
});

function statusPage(its: ProvenFacts, token: string): Page {
  const { title, text } = standing(its);
  const waits = waitingWords(its);
  return {
    title,
    from: its.controller.name,
    body: html`
      ${text.map((paragraph) => html`<p>${paragraph}</p>`)} ${waits?.body} ${grounds(its)}
      ${facts([
        ['What was asked', askedShortly(its)],
        ['Received on', day(its.receivedAt, its.zone)],
        ...(its.state === 'open' && its.dueOn !== null ? [['Answer due by', due(its)] as const] : []),
        ...(waits?.begins ? [['Deletion begins', waits.begins] as const] : []),
        ...(its.closedAt !== null ? [['Closed on', day(its.closedAt, its.zone)] as const] : []),
      ])}
      ${certificate(its, token)}
      <h2>What happened${its.state === 'open' && ' so far'}</h2>
      <ol class="timeline">
        ${inWords(its.timeline).map(({ at, text }) => html`<li>${time(at, say.clock({ at, zone: its.zone }))}${text}</li>`)}
      </ol>
      ${its.mayWaive && waiver} ${its.mayWithdraw && withdrawal(its)}
    `,
    foot: foot(its),
  };
}

/** The link is relative, so that it is right behind any proxy. */
const certificate = ({ certificate: its }: ProvenFacts, token: string): Html =>
  html`${
    its !== null &&
    html`<h2>Your certificate</h2>
      <p>
        A signed file that says what was deleted. It holds no personal data.
        ${
          !its.final &&
          'Some emptied rows are still to be removed; when they are, the final certificate is here.'
        }
      </p>
      <p><a href="${token}/certificate" download>Save the certificate</a></p>`
  }`;

const waiver: Html = html`<details>
  <summary>Do not wait for the copy of my data</summary>
  <p>
    You also asked for a copy. Nothing is deleted before you have downloaded it, or before its link ends. If
    you do without it, that wait is over, and the copy may end with your data.
  </p>
  <form method="post"><button class="plain" name="action" value="waive">Do not wait</button></form>
</details>`;

const withdrawal = ({ kind }: ProvenFacts): Html =>
  html`<details>
    <summary>Withdraw this request</summary>
    <p>
      ${kind === 'access' ? 'No copy is made then, or the one made is removed.' : 'Nothing is deleted then.'}
      The request is closed at once. You can ask again whenever you like.
    </p>
    <form method="post"><button class="plain" name="action" value="withdraw">Withdraw</button></form>
  </details>`;

/** Where it stands, in a headline and a few sentences. */
function standing(its: ProvenFacts): { title: string; text: string[] } {
  const copy = its.kind === 'access';
  switch (its.status) {
    case 'withdrawn':
      return {
        title: 'This request was withdrawn',
        text: ['Nothing more happens. You can ask again whenever you like.'],
      };
    case 'refused':
      return {
        title: 'This request was refused',
        text: ['The mail we sent says how to complain, and where.'],
      };
    case 'failed':
      return {
        title: 'This is taking longer than it should',
        text: ['Something went wrong on our side. Somebody looks after it; you need not do anything.'],
      };
    case 'fulfilled':
      return fulfilled(its);
    default: {
      const next = copy
        ? 'As soon as the copy of your data is ready, a link to it goes to this mail address.'
        : 'As soon as it is done, a mail goes to this address.';
      if (its.paused)
        return {
          title: 'We need something from you',
          text: ['The time limit is paused. The mail we sent says what is missing.', next],
        };
      const waits = waitingWords(its);
      const text = waits?.begins
        ? 'Nothing has been deleted yet. Once your data is deleted, a mail goes to this address.'
        : next;
      if (its.undecidedParts > 0)
        return {
          title: waits?.title ?? 'Your request waits for a decision',
          text: [
            'Others decide about a part of the data and were asked. What they do not decide in time is left out, and the rest goes ahead.',
            text,
          ],
        };
      if (waits) return { title: waits.title, text: [text] };
      return { title: 'Your request is being worked on', text: [next] };
    }
  }
}

function fulfilled({ kind, outcome, package: its, zone }: ProvenFacts): { title: string; text: string[] } {
  if (outcome === 'no_data') {
    return {
      title: 'Nothing was found about you',
      text: ['We searched everywhere that personal data is kept and found nothing under this mail address.'],
    };
  }
  const title = outcome === 'partial' ? 'Your request was fulfilled in part' : 'Your request was fulfilled';
  const missing = outcome === 'partial' ? ['What was left out, and why, stands in the mail we sent.'] : [];
  if (kind === 'deletion') return { title, text: missing };
  const where =
    its?.status === 'ready' && its.expiresAt !== null
      ? `The link in the mail we sent leads to your copy until ${say.moment({ at: its.expiresAt, zone })}.`
      : 'The file with your copy was removed after its time. Answer our mail if you want a new one.';
  return { title, text: [where, ...missing] };
}

const grounds = ({ refusals, status }: ProvenFacts): Html =>
  html`${refusals.map(
    ({ title, text, source, part }) =>
      html`<h2>${part && status !== 'refused' ? 'A part was refused: ' : ''}${title}</h2>
        <p>${text}</p>
        <p class="soft">${source}</p>`,
  )}`;

function asked({ kind, scope, workspace }: ProofFacts): Html {
  const what = kind === 'access' ? 'a copy of' : 'the deletion of';
  const whose = scope === 'workspace' ? 'everything in the workspace' : 'your personal data';
  const where =
    workspace !== undefined &&
    html` ${scope === 'workspace' ? '' : 'in the workspace'} “<bdi>${workspace}</bdi>”`;
  return html`${what} ${whose}${where}`;
}

const askedShortly = (its: ProofFacts): Html =>
  html`${its.kind === 'access' ? 'A copy' : 'Deletion'} of
  ${its.scope === 'workspace' ? 'the workspace' : 'your personal data'}${
    its.workspace !== undefined && html` in <bdi>${its.workspace}</bdi>`
  }`;

function due({ dueOn, extended, overdue, paused, zone }: ProvenFacts): Html {
  const date = time(dueOn ?? '', say.date({ on: dueOn ?? '', zone }));
  const note = paused ? ' (paused)' : overdue ? ' (overdue)' : extended ? ' (extended)' : '';
  return html`${date}${note}`;
}

function foot({ controller, receivedAt, requestId, zone }: ProofFacts): Html {
  const contact = controller.dpo ?? controller.contact;
  return html`${contact !== undefined && html`<p>Questions: <bdi>${contact}</bdi></p>`}
    <p>Reference: ${requestId}</p>
    <p>Times are in ${say.zone(zone, new Date(receivedAt))}.</p>`;
}

/** As in the mails, so that a date on the page is the one in the mail. */
const say = new Formats('en');
const day = (at: string, zone: string): Html => time(at, say.date({ on: dateIn(zone, new Date(at)), zone }));

/** What happened to a link that proves nothing (any more), and what to do. */
export const proofProblems: ProblemPages = {
  'proof.not_found': () => ({
    title: 'This link is not one of ours',
    body: html`<p>
      Part of it may be missing: mail programs sometimes break long links over two lines. Open it from the
      mail again, or copy it whole.
    </p>`,
  }),
  'proof.expired': () => ({
    title: 'This link has ended',
    body: html`<p>
        Links that confirm an address last seven days, and what became of a request is shown for thirty days
        after it was closed.
      </p>
      <p>If you still want to confirm, answer the mail that brought you here and ask for a new link.</p>`,
  }),
  'proof.already_used': () => ({
    title: 'There is nothing left to confirm here',
    body: html`<p>
      The request behind this link was settled in another way, or is over. If you have questions, answer the
      mail that brought you here.
    </p>`,
  }),
  'proof.needed': () => ({
    title: 'Please confirm first',
    body: html`<p>
      Nothing happens before this mail address is confirmed, so there is nothing to withdraw. A request that
      nobody confirms ends by itself.
    </p>`,
  }),
};
