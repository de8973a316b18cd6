/** A day in a zone of the IANA list: `{ on: '2026-12-20', zone: 'Europe/Berlin' }`. */
export interface Day {
  on: string;
  zone: string;
}

/** A moment, as ISO 8601 with its offset, told in the time of a zone of the IANA list. */
export interface Moment {
  at: string;
  zone: string;
}

/** What was asked for. `workspace` is its name; scope `account` has none. */
export interface Asked {
  kind: 'access' | 'deletion';
  scope: 'account' | 'person' | 'workspace';
  workspace?: string;
  /** Nobody asked: the account ends with this workspace, the last that its person belonged to. */
  endedWith?: string;
}

/** Who writes: the controller's name, and where questions go (a mail or web address, a data protection officer). */
interface Sender {
  controller: string;
  contact?: string;
}

interface AboutRequest extends Sender {
  /** The request's id, so that a person can name it. */
  reference: string;
  asked: Asked;
}

/** Texts that depend on the law come from dsar: each string is one paragraph (see `paragraphsOf`). */
interface WithRights {
  /** How to complain, and the way to a court. */
  rights: readonly string[];
}

interface Verification extends Sender {
  asked: Asked;
  receivedOn: Day;
  link: string;
  expires: Moment;
}

interface PackageLink extends AboutRequest {
  link: string;
  expires: Moment;
  contents: readonly { label: string; count: number }[];
  /** What could not be put in and why; empty or absent when the package is whole. */
  leftOut?: readonly string[];
}

/** To each owner of a workspace that is to be deleted. */
interface WorkspaceGoes extends AboutRequest {
  workspace: string;
  goesAt: Moment;
}

/**
 * What each letter needs to be told. Dates and moments are strings, because parameters are kept as sealed JSON
 * until the letter is written.
 */
export interface MailParams {
  'verify-identity': Verification;
  'verify-reminder': Verification;
  /** `dueOn` and `law` are absent where no statute sets a date (a workspace's own export). */
  'request-received': AboutRequest & { receivedOn: Day; dueOn?: Day; law?: string };
  /** `process`: how we verify, search and answer; CCPA Regulations § 7021(a) asks for it in 10 business days. */
  'request-acknowledged': AboutRequest & {
    receivedOn: Day;
    dueOn: Day;
    law: string;
    process: readonly string[];
  };
  'package-ready': PackageLink & Partial<WithRights>;
  'package-for-workspace': PackageLink & { workspace: string };
  /** In place of a receipt, to somebody whose last workspace was deleted: see `Asked.endedWith`. */
  'account-ends': AboutRequest & WithRights & { dueOn?: Day; law?: string };
  'request-no-data': AboutRequest & WithRights;
  /** `certificate`: the signed file in base64, which no tidying of words can touch; `keys`: where the key is that it is checked with. */
  'deletion-done': AboutRequest &
    WithRights & {
      /** How many kinds of data were deleted or made anonymous. */
      deleted: number;
      kept: readonly { label: string; why: string }[];
      /** Who else had the data and is told of its erasure. */
      recipients?: readonly string[];
      backupsGoneBy: Day;
      keys: string;
      /** Where it is had again, and the final one too where a first one came with rows still to be swept. */
      link?: string;
      certificate: string;
    };
  /** Each ground as its paragraphs; the rights come once, after all of them. */
  'request-refused': AboutRequest & WithRights & { grounds: readonly (readonly string[])[] };
  /** `part` names what is refused: a workspace, the account, or kinds of data in one of them. */
  'request-refused-part': AboutRequest &
    WithRights & { parts: readonly { part: readonly string[]; ground: readonly string[] }[] };
  'request-extended': AboutRequest &
    WithRights & { previousDueOn: Day; dueOn: Day; reason: readonly string[] };
  /** `needed`: what the person can send us to settle the doubt about their identity. */
  'request-paused': AboutRequest & WithRights & { reason: readonly string[]; needed: readonly string[] };
  'request-withdrawn': AboutRequest;
  'identity-refused': AboutRequest & WithRights & { ground: readonly string[] };
  /** To owners and admins. Says nothing about who asked: that is not theirs to know before they look. */
  'part-approval-needed': AboutRequest & { workspace: string; decideBy?: Day };
  'workspace-deletion-scheduled': WorkspaceGoes & {
    why: 'owner_request' | 'subscription_ended' | 'orphaned';
  };
  /** `days`: how many are left. */
  'workspace-deletion-reminder': WorkspaceGoes & { days: 7 | 1 };
  'workspace-deletion-cancelled': AboutRequest & { workspace: string };
  /** To each who was an owner when it began. `certificate` and `keys` as in `deletion-done`. */
  'workspace-deleted': AboutRequest & {
    workspace: string;
    deleted: number;
    kept: readonly { label: string; why: string }[];
    recipients?: readonly string[];
    backupsGoneBy: Day;
    keys: string;
    certificate: string;
  };
}

export type Template = keyof MailParams;
