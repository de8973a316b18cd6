import { html, type Html } from '../../http/html.js';
import { time } from '../../http/page-layout.js';
import { Formats } from '../../mail/catalogue/formats.js';
import { type ProvenFacts } from './proof.schema.js';

/** What stands in the way of a deletion, in the person's words: what it is, until when, and what they can do. */
export interface Waiting {
  title: string;
  /** undefined: it has begun. */
  begins: Html | undefined;
  body: Html;
}

type Code = ProvenFacts['blockers'][number]['code'];
type Found = ReadonlyMap<Code, readonly string[]>;

const say = new Formats('en');

/** undefined: nothing does that the person may know of. */
export function waitingWords(its: ProvenFacts): Waiting | undefined {
  const hasBegun = its.status === 'in_progress';
  if (!hasBegun && its.status !== 'received' && its.status !== 'scheduled') return undefined;
  // Once it runs, only what has to be kept stops it.
  const blockers = its.blockers.filter(({ code }) => !hasBegun || code === 'held');
  if (blockers.length === 0) return undefined;
  const found: Found = new Map(
    [...Map.groupBy(blockers, ({ code }) => code)].map(([code, those]) => [
      code,
      those.map(({ message }) => message),
    ]),
  );
  return {
    title: titleOf(found),
    begins: hasBegun ? undefined : begins(its, found),
    body: html`${order.map((code) => html`${found.has(code) && sections[code](its, found.get(code) ?? [])}`)}
    ${!hasBegun && its.mayWithdraw && secondThoughts(its, found)}`,
  };
}

/** First what does not end by itself. Cooling-off is told with how to take it back. */
const order = ['sole_owner', 'held', 'access_open'] as const;

function titleOf(found: Found): string {
  if (found.has('sole_owner') || found.has('held')) return 'Something stands in the way of your deletion';
  return found.has('access_open') ? 'Your deletion waits for your copy' : 'Your deletion has not begun yet';
}

const sections: Record<(typeof order)[number], (its: ProvenFacts, messages: readonly string[]) => Html> = {
  sole_owner: (its, messages) =>
    html`<h2>A workspace would be left without an owner</h2>
      ${told(messages)}
      <p>
        Sign in where you use the workspace to do either; it is enough that its deletion is scheduled. This
        does not end by itself: we look again and again, and go on once it is done. ${answer(its)}
      </p>`,
  held: (its, messages) =>
    html`<h2>Some data has to be kept for now</h2>
      ${told(messages)}
      <p>
        You need not do anything: once it no longer has to be kept, the deletion goes on by itself.
        ${answer(its)}
      </p>`,
  access_open: (its, messages) =>
    html`<h2>Your copy comes first</h2>
      ${told(messages)}
      <p>
        The deletion waits until it has been downloaded or its link has ended${latest(its)}. The link comes in
        a mail of its own.
        ${its.mayWaive && 'If you can do without the copy, say so at the end of this page, and the deletion does not wait for it.'}
      </p>`,
};

const told = (messages: readonly string[]): Html =>
  html`${messages.map((message) => html`<p>${message}</p>`)}`;

const whatStays: Record<ProvenFacts['scope'], string> = {
  account: 'your account and your data',
  person: 'your data',
  workspace: 'the workspace',
};

const secondThoughts = (its: ProvenFacts, found: Found): Html =>
  html`<h2>You can still change your mind</h2>
    <p>
      ${cooling(its, found) && html`Nothing is deleted before ${cooling(its, found)}.`} To keep
      ${whatStays[its.scope]}, withdraw this request at the end of this page, before the deletion begins.
    </p>`;

function begins(its: ProvenFacts, found: Found): Html {
  const earliest = cooling(its, found);
  if (!earliest) return html`As soon as nothing stands in the way`;
  // Never flatly: of some of it the person must not hear.
  return html`${earliest}, if nothing${found.size > 1 && ' else'} stands in the way then`;
}

const cooling = ({ runAfter, zone }: ProvenFacts, found: Found): Html | false =>
  found.has('cooling_off') && runAfter !== null && time(runAfter, say.moment({ at: runAfter, zone }));

const answer = ({ dueOn, overdue, paused, zone }: ProvenFacts): Html | false =>
  dueOn !== null &&
  !overdue &&
  !paused &&
  html`Whatever comes of it, you have our answer by ${time(dueOn, say.day({ on: dueOn, zone }))}.`;

const latest = ({ delaysEndOn: on, zone }: ProvenFacts): Html | false =>
  on !== null && html`, until ${time(on, say.day({ on, zone }))} at the latest`;
