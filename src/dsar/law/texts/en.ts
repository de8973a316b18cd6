import { DateTime } from 'luxon';
import { type LocalDate } from '../calendar.js';
import { type RequestKind } from '../law.js';
import { lawOf } from '../laws.js';
import { type LegalTexts, type Matter } from '../legal-text.js';
import { information } from './en-information.js';
import { remediesIn } from './en-remedies.js';

/** The words of the law in English. Short sentences; the article only where the person may want to look it up. */
export const english: LegalTexts = {
  remedies: remediesIn,

  acknowledgement: (matter) => [
    `${matter.controller.name} received your ${nounOf(matter.kind)} on ${dateOf(matter.receivedOn)}.`,
    `We answer it without undue delay, at the latest on ${dateOf(matter.dueOn)}. The rules are those of the ${lawNameOf(matter)}.`,
    'If we need to confirm who you are, we ask you by a separate mail. If we need more time, we tell you why before that date.',
    ...contact(matter),
  ],

  extensionRule: (matter) => {
    const source = matter.law === 'contract' ? undefined : lawOf(matter.law).extension?.source;
    return `The ${lawNameOf(matter)} allows this once${source ? ` (${source})` : ''}.`;
  },

  information,
};

const nounOf = (kind: RequestKind): string =>
  kind === 'access' ? 'request for your data' : 'request for deletion';

const lawNameOf = ({ law }: Matter): string => (law === 'contract' ? 'contract' : lawOf(law).name);

const dateOf = (date: LocalDate): string =>
  DateTime.fromISO(date, { zone: 'utc', locale: 'en-GB' }).toFormat('d MMMM yyyy');

function contact({ controller }: Matter): string[] {
  if (controller.dpo) return [`Questions go to the data protection officer: ${controller.dpo}`];
  return controller.contact ? [`Questions go to ${controller.contact}`] : [];
}
