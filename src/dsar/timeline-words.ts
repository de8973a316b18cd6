import { type TimelineEntry } from './timeline.js';

type Words = string | ((entry: TimelineEntry) => string | undefined);

const outcomes: Record<string, string> = {
  full: 'It was fulfilled',
  partial: 'It was fulfilled, all but what was refused, not decided in time, or has to be kept by law',
  no_data: 'We searched and found nothing about you',
};

/** What the person reads of each event; one without words is the machinery's own. */
const words: Record<string, Words> = {
  'request.filed': 'The request was filed',
  'verification.sent': 'A link to confirm the address was mailed',
  'verification.postponed': 'Many links were mailed to the address; the one for this request follows',
  'verification.recorded': 'Identity was proven in another way',
  'verification.refused': 'Somebody tried to confirm with a link that no longer could',
  'identity.proven': ({ metadata }) =>
    metadata.method === 'link' ? 'The address was confirmed' : 'Identity was proven',
  'request.scheduled': ({ metadata }) =>
    Number(metadata.awaiting) > 0 ? 'Those who decide about a part of it were asked' : undefined,
  'part.approved': 'A part of it was approved',
  'part.refused': 'A part of it was refused',
  'part.ended': 'A workspace it was also about was deleted, so that nothing is left there',
  'request.lock_waived': 'It waits no longer for the copy of the data to be downloaded',
  'request.started': 'Work on it began',
  'request.blocked': 'Something stands in the way, and somebody looks after it',
  'request.irreversible': 'The deletion began; from here on it cannot be undone',
  'request.attempt_failed': 'Something went wrong on our side; it is tried again',
  'request.failed': 'Something went wrong on our side; somebody looks after it',
  'request.retried': 'Work on it began again',
  'request.extended': 'More time was taken, for the reason we mailed',
  'request.paused': 'The time limit was paused, for the reason we mailed',
  'request.resumed': 'The time limit runs again',
  'package.ready': 'The copy of the data was put together and a link to it mailed',
  'package.rebuilt': 'The copy was put together again and a new link mailed',
  'package.rebuild_requested': 'A new copy was asked for',
  'package.rebuild_failed': 'Putting the copy together again failed; it can be asked for once more',
  'package.downloaded': 'The copy was downloaded',
  'package.download_refused': 'Somebody tried a download link that had ended',
  'package.expired': 'The link to the copy ended',
  'link.issued': 'A new link to the copy was mailed',
  'link.revoked': 'A link to the copy was withdrawn',
  'recipient.told': 'Somebody who had been given the data was told that it is erased',
  'recipient.confirmed': 'Somebody who had been given the data has erased it, too',
  'recipient.failed': 'Somebody who had been given the data could not be told yet; somebody looks after it',
  'mail.bounced': 'A mail to this address could not be delivered',
  'request.fulfilled': ({ metadata }) => outcomes[String(metadata.outcome)] ?? 'It was fulfilled',
  'request.refused': ({ metadata: { grounds } }) =>
    `It was refused, for the reason${Array.isArray(grounds) && grounds.length > 1 ? 's' : ''} we mailed`,
  'request.withdrawn': 'It was withdrawn',
};

/** A timeline in plain words, oldest first. */
export const inWords = (timeline: readonly TimelineEntry[]): { at: string; text: string }[] =>
  timeline.flatMap((entry) => {
    const known = Object.hasOwn(words, entry.action) ? words[entry.action] : undefined;
    const text = typeof known === 'function' ? known(entry) : known;
    return text === undefined ? [] : [{ at: entry.at, text }];
  });
