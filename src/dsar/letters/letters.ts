import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Sealing } from '../../keys/sealing.js';
import { type MailParams, type Template } from '../../mail/catalogue/params.js';
import { Outbox } from '../../mail/outbox.js';
import { certificateWords } from './certificate-words.js';
import { Controllers } from './controllers.js';
import { groundText, groundTexts, type Reason } from '../refusal/ground-for.js';
import { isLawId, lawOf } from '../law/laws.js';
import { isAssumed } from '../law/jurisdiction.js';
import { legalTexts } from '../law/legal-texts.js';
import { dateIn } from '../law/calendar.js';
import { matterOf } from '../access/legal-information.js';
import { type FilingDetails, type Request } from '../request.js';

/** What of each letter only its sender knows; the rest follows from the request. */
type Own<T extends Template> = Omit<
  MailParams[T],
  'controller' | 'contact' | 'reference' | 'asked' | 'rights'
>;

/** What people are told, each letter written in the transaction of what it tells of, once. */
@Injectable()
export class Letters {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly outbox: Outbox,
    private readonly sealing: Sealing,
    private readonly controllers: Controllers,
  ) {}

  async verify(
    tx: UnitOfWork,
    request: Request,
    template: 'verify-identity' | 'verify-reminder',
    token: string,
    expiresAt: Date,
  ) {
    await this.write(tx, request, template, {
      receivedOn: receivedOn(request),
      link: `${this.config.publicUrl}/p/${token}`,
      expires: { at: expiresAt.toISOString(), zone: request.zone },
    });
  }

  async received(tx: UnitOfWork, request: Request) {
    const due =
      request.dueOn && request.law
        ? { dueOn: { on: request.dueOn, zone: request.zone }, ...named(request) }
        : {};
    if (this.endedWith(request) !== undefined) await this.write(tx, request, 'account-ends', due, 'received');
    else {
      const own = { receivedOn: receivedOn(request), ...due };
      await this.write(tx, request, 'request-received', own, 'received');
    }
  }

  /** The law wants to hear of a receipt before identity is proven, and how it goes on (CCPA Regulations § 7021(a)). */
  async acknowledged(tx: UnitOfWork, request: Request) {
    if (!request.dueOn || !request.acknowledgeBy) return;
    const controller = await this.controllers.of(tx, request.scope);
    const received = dateIn(request.zone, request.receivedAt);
    const process = legalTexts(request.language).acknowledgement({
      ...matterOf(request, controller),
      receivedOn: received,
      dueOn: request.dueOn,
    });
    const own = {
      receivedOn: receivedOn(request),
      dueOn: { on: request.dueOn, zone: request.zone },
      law: lawName(request),
      process,
    };
    await this.write(tx, request, 'request-acknowledged', own, 'acknowledged');
  }

  async withdrawn(tx: UnitOfWork, request: Request) {
    await this.write(tx, request, 'request-withdrawn', {}, 'withdrawn');
  }

  async noData(tx: UnitOfWork, request: Request) {
    await this.write(tx, request, 'request-no-data', {}, 'no-data');
  }

  /** With the certificate itself: it is the person's, and needs nothing of ours to be checked. */
  async deletionDone(
    tx: UnitOfWork,
    request: Request,
    certificate: SignedCertificate,
    { token, titleOf }: { token: string; titleOf: (collection: string) => string },
  ) {
    const own = {
      ...certificateWords(certificate, this.config, titleOf),
      link: `${this.config.publicUrl}/p/${token}`,
    };
    await this.write(tx, request, 'deletion-done', own, 'deletion-done');
  }

  async refused(tx: UnitOfWork, request: Request, reasons: readonly Reason[]) {
    await this.write(tx, request, 'request-refused', { grounds: groundTexts(request, reasons) }, 'refused');
  }

  /** One letter for all that is refused at once. @param refused what of the request, by its names, and why not */
  async refusedParts(tx: UnitOfWork, request: Request, refused: readonly (Reason & { part: string[] })[]) {
    const parts = refused.map(({ part, ...reason }) => ({
      part,
      ground: groundTexts(request, [reason]).flat(),
    }));
    await this.write(tx, request, 'request-refused-part', { parts });
  }

  async identityRefused(tx: UnitOfWork, request: Request) {
    await this.write(
      tx,
      request,
      'identity-refused',
      { ground: groundText(request, 'identity_not_proven') },
      'identity-refused',
    );
  }

  async extended(tx: UnitOfWork, request: Request, previousDueOn: string, dueOn: string, reason: string) {
    const controller = await this.controllers.of(tx, request.scope);
    const rule = legalTexts(request.language).extensionRule(matterOf(request, controller));
    const day = (on: string) => ({ on, zone: request.zone });
    await this.write(
      tx,
      request,
      'request-extended',
      { previousDueOn: day(previousDueOn), dueOn: day(dueOn), reason: [reason, rule] },
      'extended',
    );
  }

  async paused(tx: UnitOfWork, request: Request, reason: string, needed: string) {
    await this.write(tx, request, 'request-paused', { reason: [reason], needed: [needed] });
  }

  /** @param contents what is in it, collection by collection */
  async packageReady(
    tx: UnitOfWork,
    request: Request,
    link: { id: string; token: string; expiresAt: Date },
    contents: { label: string; count: number }[],
    leftOut: string[],
  ) {
    const own = {
      link: `${this.config.publicUrl}/d/${link.token}`,
      expires: { at: link.expiresAt.toISOString(), zone: request.zone },
      contents,
      leftOut,
    };
    if (request.scope !== 'workspace') {
      await this.write(tx, request, 'package-ready', own, `link:${link.id}`);
      return;
    }
    const workspace = (await this.controllers.workspaceName(tx)) ?? '';
    await this.write(tx, request, 'package-for-workspace', { ...own, workspace }, `link:${link.id}`);
  }

  /** Somebody whose account ends with their last workspace has asked for nothing, and is not told that they have. */
  private endedWith({ detailsSealed }: Request): string | undefined {
    return detailsSealed
      ? this.sealing.open<FilingDetails>('request.details', detailsSealed).endedWith
      : undefined;
  }

  private async write<T extends Template>(
    tx: UnitOfWork,
    request: Request,
    template: T,
    own: Own<T>,
    once?: string,
  ): Promise<void> {
    if (!request.mailSealed) return; // wiped, or the person gave none: the desk sees the request all the same
    const controller = await this.controllers.of(tx, request.scope);
    const workspace = request.scope === 'account' ? undefined : await this.controllers.workspaceName(tx);
    const endedWith = this.endedWith(request);
    const params = {
      controller: controller.name,
      ...((controller.dpo ?? controller.contact) && { contact: controller.dpo ?? controller.contact }),
      reference: request.id,
      asked: {
        kind: request.kind,
        scope: request.scope,
        ...(workspace && { workspace }),
        ...(endedWith !== undefined && { endedWith }),
      },
      rights: legalTexts(request.language).remedies(matterOf(request, controller)),
      ...own,
    };
    await this.outbox.send(tx, {
      template,
      to: this.sealing.open<string>('request.mail', request.mailSealed),
      language: request.language,
      params: params as unknown as MailParams[T],
      about: request.id,
      ...(once && { dedupeKey: `${request.id}:${once}` }),
    });
  }
}

const receivedOn = (request: Request) => ({
  on: dateIn(request.zone, request.receivedAt),
  zone: request.zone,
});
/** The law, where it is known to be the person's. */
const named = (request: Request): { law?: string } =>
  isAssumed(request.clock) ? {} : { law: lawName(request) };

const lawName = ({ law }: Request): string => (law && isLawId(law) ? lawOf(law).name : '');
