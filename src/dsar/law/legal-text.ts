import { type ControllerProfile, type Retention } from '../../datamap/schema.js';
import { type LocalDate } from './calendar.js';
import { type LawId, type RequestKind } from './law.js';
import { type Ground } from './refusal-grounds.js';

/** A mail's words. Who mails them adds salutation and signature; whoever renders them escapes. */
export interface LegalText {
  subject: string;
  paragraphs: readonly string[];
}

/** Whose request is answered under what: never anything about the person. */
export interface Matter {
  controller: ControllerProfile;
  law: LawId | 'contract';
  /** Names the authority where the controller's profile does not. */
  jurisdiction?: string | null;
  kind: RequestKind;
}

/** What the data map says of one collection in a package. */
export interface Processing {
  title: string;
  purpose: string;
  legalBasis: string;
  /** The categories of its columns. */
  categories: readonly string[];
  recipients: readonly string[];
  retention: Retention;
  /** Where the data came from, if not from the person (Art. 15(1)(g)). */
  source?: string;
}

/** What no data map knows. Absent: the text says that nothing is recorded here, and whom to ask. */
export interface ProcessingFacts {
  automatedDecisions?: string;
  transfers?: string;
}

/** One item of GDPR Art. 15(1)-(2), in words; other laws get the same without the article. */
export interface InformationItem {
  code:
    | 'controller'
    | 'purposes'
    | 'categories'
    | 'recipients'
    | 'retention'
    | 'rights'
    | 'complaint'
    | 'source'
    | 'automated_decisions'
    | 'transfers';
  article: string | null;
  title: string;
  text: readonly string[];
}

/** Everything the law wants said, in one language. Another language is another file beside texts/en.ts. */
export interface LegalTexts {
  /** How to complain, and the way to a court (Art. 12(4)): the paragraphs that end every letter that says no or later. */
  remedies(matter: Matter): readonly string[];
  /** The request has arrived, and when it will be answered (CCPA: within 10 business days). */
  acknowledgement(matter: Matter & { receivedOn: LocalDate; dueOn: LocalDate | null }): LegalText;
  /** More time is taken: the new date and the reasons (Art. 12(3)). `reason` is staff's own sentence. */
  extension(matter: Matter & { reason: string; dueOn: LocalDate }): LegalText;
  /** No, wholly or for the named part: the reason, complaint and court (Art. 12(4)). */
  refusal(matter: Matter & { ground: Ground; part?: string }): LegalText;
  /** No, because identity was not proven in time (Art. 12(6)), and how to ask again. */
  identityNotProven(matter: Matter & { ground: Ground }): LegalText;
  /** Done, and nothing was found. */
  noData(matter: Matter): LegalText;
  /** The legal information of a package (Art. 15(1)-(2)), for one controller. */
  information(matter: Matter, collections: readonly Processing[], facts?: ProcessingFacts): InformationItem[];
}
