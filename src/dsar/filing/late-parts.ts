import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type Subject } from '../../datamap/settings.js';
import { Sealing } from '../../keys/sealing.js';
import { Acceptance, type ProvenSubject } from './acceptance.js';
import { claimMatter } from './open-matters.js';
import { PackageRecipient } from '../access/package-recipient.js';
import { Parts } from '../parts.js';
import { People } from './people-of-tenant.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { startingClock } from './starting-clock.js';
import { type PartPlace, Whereabouts } from './whereabouts.js';

/**
 * What a request could not learn when it was filed or proven, because the host's tables did not fit the map: who
 * else the person is, which workspaces are touched, where answers go, and whether one of them is due sooner.
 */
@Injectable()
export class LateParts {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly host: HostMap,
    private readonly people: People,
    private readonly sealing: Sealing,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly whereabouts: Whereabouts,
    private readonly acceptance: Acceptance,
    private readonly recipient: PackageRecipient,
  ) {}

  /**
   * Catches up; nothing is written where the tables still do not fit.
   * @returns the request, refused where it turns out to be a duplicate; undefined where it has to go on waiting
   */
  async open(tx: UnitOfWork, request: Request): Promise<Request | undefined> {
    const known = await this.known(tx, request);
    const joined = await this.joined(tx, request, known);
    const subjects = [...known, ...joined];
    const { places, complete } = await this.whereabouts.of(tx, request.scope, subjects);
    if (!complete) return undefined;
    const mail = request.mailSealed ? undefined : await this.address(tx, request, subjects);

    const other = joined.length > 0 ? await claimMatter(tx, request, subjects) : undefined;
    if (other !== undefined) return this.acceptance.refuseDuplicate(tx, request, other);
    await this.acceptance.freeze(tx, request, joined);
    const dated = await this.dueSooner(tx, request, subjects, places);
    const mailSealed = mail === undefined ? request.mailSealed : this.sealing.seal('request.mail', mail);
    await tx.query('update habeas.requests set parts_opened = true, mail_sealed = $2 where id = $1', [
      request.id,
      mailSealed,
    ]);
    const there = new Set((await this.parts.of(tx, request)).map(({ tenant }) => tenant));
    const missing = places.filter(({ tenant }) => !there.has(tenant));
    return this.acceptance.openPlaces(tx, { ...dated, partsOpened: true, mailSealed }, missing);
  }

  private async known(tx: UnitOfWork, request: Request): Promise<Subject[]> {
    const refs = await this.requests.subjects(tx, request.id);
    return tx.asHost(async (host) => {
      const found: Subject[] = [];
      for (const { kind, key } of refs)
        found.push((await this.host.people.byKey(host, kind, key)) ?? { kind, key, identifiers: {} });
      return found;
    });
  }

  /** Who else is behind the proven address; a sign-in proves its own kind, and only that one of it. */
  private async joined(
    tx: UnitOfWork,
    request: Request,
    known: readonly Subject[],
  ): Promise<ProvenSubject[]> {
    if (!request.mailSealed || request.scope === 'workspace') return [];
    const bySession = request.identityMethod === 'session';
    const via = bySession ? 'email_verified' : 'mail';
    const found: ProvenSubject[] = [];
    for (const subject of await this.people.behindMail(
      tx,
      this.sealing.open<string>('request.mail', request.mailSealed),
    )) {
      const isKnown = known.some(
        ({ kind, key }) => kind === subject.kind && (bySession || key === subject.key),
      );
      const isHere = request.scope === 'account' || (await this.people.belongs(tx, subject));
      if (!isKnown && isHere) found.push({ ...subject, via });
    }
    return found;
  }

  private address(
    tx: UnitOfWork,
    request: Request,
    subjects: readonly Subject[],
  ): Promise<string | undefined> {
    if (request.scope === 'workspace') return this.recipient.of(tx);
    return Promise.resolve(
      subjects.map((subject) => this.people.mailOf(subject)).find((known) => known !== undefined),
    );
  }

  /** The earliest date over all parts counts, also over those that were found late; never a later one. */
  private async dueSooner(
    tx: UnitOfWork,
    request: Request,
    subjects: readonly Subject[],
    parts: readonly PartPlace[],
  ): Promise<Request> {
    if (request.dueOn === null) return request;
    const profiles = await tx.asHost(async (host) => {
      const codes: (string | null)[] = [];
      for (const subject of subjects)
        codes.push((await this.host.people.profile(host, subject)).jurisdiction);
      return codes;
    });
    const { kind, scope, receivedAt } = request;
    const clock = startingClock({
      kind,
      scope,
      receivedAt,
      subjectJurisdictions: profiles,
      parts,
      laws: this.config.laws,
    });
    if (clock.dueOn === null || clock.dueOn >= request.dueOn) return request;
    const { dueOn, jurisdiction, law, zone } = clock;
    const rule = { ...clock.rule, decidedBy: clock.decidedBy };
    await tx.query(
      `update habeas.requests set due_on = $2, original_due_on = $2, jurisdiction = $3, law = $4, zone = $5, clock = $6 where id = $1`,
      [request.id, dueOn, jurisdiction, law, zone, JSON.stringify(rule)],
    );
    await this.requests.tell(tx, request, 'request.due_sooner', {
      metadata: { previousDueOn: request.dueOn, dueOn, law },
    });
    return { ...request, dueOn, jurisdiction, law, zone, clock: rule };
  }
}
