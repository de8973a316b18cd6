import { DateTime } from 'luxon';
import { type LocalDate } from '../calendar.js';
import { type RequestKind } from '../law.js';
import { lawOf } from '../laws.js';
import { type LegalTexts, type Matter } from '../legal-text.js';
import { information } from './en-information.js';
import { remediesIn } from './en-remedies.js';

/** The mails in English. Short sentences; the article only where the person may want to look it up. */
export const english: LegalTexts = {
  remedies: remediesIn,

  acknowledgement: (matter) => ({
    subject: `We have received your ${nounOf(matter.kind)}`,
    paragraphs: [
      `${matter.controller.name} received your ${nounOf(matter.kind)} on ${dateOf(matter.receivedOn)}.`,
      matter.dueOn === null
        ? 'It is handled under the contract. We answer it without undue delay.'
        : `We answer it without undue delay, at the latest on ${dateOf(matter.dueOn)}. The rules are those of the ${lawNameOf(matter)}.`,
      'If we need to confirm who you are, we ask you by a separate mail. If we need more time, we tell you why before that date.',
      ...contact(matter),
    ],
  }),

  extension: (matter) => ({
    subject: `We need more time for your ${nounOf(matter.kind)}`,
    paragraphs: [
      `${matter.controller.name} cannot answer your ${nounOf(matter.kind)} within the first period. You will have our answer at the latest on ${dateOf(matter.dueOn)}.`,
      `The reason: ${matter.reason}`,
      `The ${lawNameOf(matter)} allows this once${sourceOf(matter)}.`,
      ...remediesIn(matter),
      ...contact(matter),
    ],
  }),

  refusal: (matter) => ({
    subject: matter.part
      ? `A part of your ${nounOf(matter.kind)} is refused`
      : `Your ${nounOf(matter.kind)} is refused`,
    paragraphs: [
      matter.part
        ? `${matter.controller.name} does not do what you asked for this part: ${matter.part}. Everything else goes on.`
        : `${matter.controller.name} does not do what you asked in your ${nounOf(matter.kind)}.`,
      `The reason: ${matter.ground.text}`,
      `The ground: ${matter.ground.title} (${matter.ground.source}).`,
      ...remediesIn(matter),
      ...contact(matter),
    ],
  }),

  identityNotProven: (matter) => ({
    subject: `Your ${nounOf(matter.kind)} is closed, because identity was not proven`,
    paragraphs: [
      `${matter.controller.name} asked for a proof that this ${nounOf(matter.kind)} is yours, and has not received one in time. No personal data was handed over or erased.`,
      `The reason: ${matter.ground.text}`,
      `The ground: ${matter.ground.title} (${matter.ground.source}).`,
      'You may ask again at any time, free of charge. Use the link in the mail that we then send you.',
      ...remediesIn(matter),
      ...contact(matter),
    ],
  }),

  noData: (matter) => ({
    subject: `Your ${nounOf(matter.kind)}: we hold no data about you`,
    paragraphs: [
      `${matter.controller.name} has searched everything it holds and found no personal data that belongs to the details you proved.`,
      'If you have used another address or number with us, ask again with that one.',
      ...remediesIn(matter),
      ...contact(matter),
    ],
  }),

  information,
};

const nounOf = (kind: RequestKind): string =>
  kind === 'access' ? 'request for your data' : 'request for deletion';

const lawNameOf = ({ law }: Matter): string => (law === 'contract' ? 'contract' : lawOf(law).name);

function sourceOf({ law }: Matter): string {
  const source = law === 'contract' ? undefined : lawOf(law).extension?.source;
  return source ? ` (${source})` : '';
}

const dateOf = (date: LocalDate): string =>
  DateTime.fromISO(date, { zone: 'utc', locale: 'en-GB' }).toFormat('d MMMM yyyy');

function contact({ controller }: Matter): string[] {
  if (controller.dpo) return [`Questions go to the data protection officer: ${controller.dpo}`];
  return controller.contact ? [`Questions go to ${controller.contact}`] : [];
}
