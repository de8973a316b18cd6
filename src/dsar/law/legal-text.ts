import { type ControllerProfile, type Retention } from '../../datamap/schema.js';
import { type LocalDate } from './calendar.js';
import { type LawId, type RequestKind } from './law.js';

/** Whose request is answered under what: never anything about the person. */
export interface Matter {
  controller: ControllerProfile;
  law: LawId | 'contract';
  /** Names the authority where the controller's profile does not. */
  jurisdiction?: string | null;
  /** The law was taken for its date only: whether it is the person's own is not known. */
  assumed?: boolean;
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

/** What the law wants said beyond the mails themselves (mail/catalogue), in one language. Another language is another file beside texts/en.ts. */
export interface LegalTexts {
  /** How to complain, and the way to a court (Art. 12(4)): the paragraphs that end every letter that says no or later. */
  remedies(matter: Matter): readonly string[];
  /** The request has arrived, and how it goes on (CCPA: within 10 business days). */
  acknowledgement(matter: Matter & { receivedOn: LocalDate; dueOn: LocalDate }): readonly string[];
  /** On what rule more time is taken (Art. 12(3)). */
  extensionRule(matter: Matter): string;
  /** The legal information of a package (Art. 15(1)-(2)), for one controller. */
  information(matter: Matter, collections: readonly Processing[], facts?: ProcessingFacts): InformationItem[];
}
