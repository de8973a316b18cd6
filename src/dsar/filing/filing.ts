import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { normalise } from '../../datamap/normalise.js';
import { type Profile } from '../../datamap/people.js';
import { type Subject } from '../../datamap/settings.js';
import { DomainError } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { Sealing } from '../../keys/sealing.js';
import { Acceptance } from './acceptance.js';
import { IdentityProof } from '../proof/identity-proof.js';
import { assertCovered } from '../law/jurisdiction.js';
import { type RequestKind } from '../law/law.js';
import { People } from './people-of-tenant.js';
import {
  type Channel,
  type FilingDetails,
  type IdentityMethod,
  type Request,
  type RequestSubject,
  type Scope,
} from '../request.js';
import { Requests } from '../requests.js';
import { startingClock } from './starting-clock.js';
import { type Places, Whereabouts } from './whereabouts.js';

export interface NewFiling {
  kind: RequestKind;
  scope: Scope;
  channel: Channel;
  /** When it arrived; the legal clock starts here. Default: now. */
  receivedAt?: Date;
  jurisdiction?: string;
  language?: string;
  /** Where answers go. Absent: the subject's own, from the data map. */
  mail?: string;
  details?: FilingDetails;
  /** Of a deletion: the time to change one's mind, ISO 8601. Default: COOLING_OFF. */
  coolingOff?: string;
  /** Of a deletion: does not wait for a package of the same person to be fetched. */
  waiveAccessLock?: boolean;
  /** Who it is about, when that is proven already; absent: to be proven. */
  proven?: { method: IdentityMethod; subjects: (Subject & Pick<RequestSubject, 'via'>)[] };
}

/** A request is filed: whoever files it, and through whichever door, comes through here. */
@Injectable()
export class Filing {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly people: People,
    private readonly whereabouts: Whereabouts,
    private readonly proof: IdentityProof,
    private readonly acceptance: Acceptance,
  ) {}

  /**
   * Files a request in the tenancy it belongs to (the host for scope account).
   * @throws DomainError `request.duplicate` (with the id of the open one), `request.received_in_future`, `jurisdiction.unknown`
   */
  file(tenancy: Tenancy, filing: NewFiling): Promise<Request> {
    return this.database.within(tenancy, (tx) => this.fileWithin(tx, filing));
  }

  /** As `file`, in the caller's transaction, whose tenancy it is. */
  async fileWithin(tx: UnitOfWork, filing: NewFiling): Promise<Request> {
    assertTenant(tx.tenancy, filing.scope);
    assertCovered(filing.jurisdiction, this.config.laws);
    const receivedAt = filing.receivedAt ?? this.clock.now();
    // A minute of grace, because clocks differ.
    if (receivedAt.getTime() > this.clock.now().getTime() + 60_000) {
      throw new DomainError('request.received_in_future', 'receivedAt must not lie in the future.');
    }
    // Once: a person may be in thousands of workspaces.
    const where = await this.whereabouts.of(tx, filing.scope, filing.proven?.subjects ?? []);
    const request = await this.open(tx, { ...filing, receivedAt }, where);
    await this.requests.tell(tx, request, 'request.filed', {
      subjects: filing.proven?.subjects,
      metadata: {
        kind: request.kind,
        scope: request.scope,
        channel: request.channel,
        dueOn: request.dueOn,
        law: request.law,
        // The person's will, which somebody else may have filed for them.
        ...(filing.coolingOff !== undefined && { coolingOff: filing.coolingOff }),
        ...(filing.waiveAccessLock && { waivesAccessLock: true }),
      },
    });
    return filing.proven
      ? this.acceptance.accept(tx, request, filing.proven.method, filing.proven.subjects, where)
      : this.proof.begin(tx, request);
  }

  private async open(
    tx: UnitOfWork,
    filing: NewFiling & { receivedAt: Date },
    { places }: Places,
  ): Promise<Request> {
    const subjects = filing.proven?.subjects ?? [];
    const profiles = await tx.attempt(() => this.profilesOf(tx, subjects), unlessMisfit<Profile[]>([]));
    const clock = startingClock({
      kind: filing.kind,
      scope: filing.scope,
      receivedAt: filing.receivedAt,
      jurisdiction: filing.jurisdiction,
      subjectJurisdictions: profiles.map(({ jurisdiction }) => jurisdiction),
      parts: places,
      laws: this.config.laws,
    });
    const mail =
      filing.mail ??
      subjects.map((subject) => this.people.mailOf(subject)).find((known) => known !== undefined);
    return this.requests.open(tx, {
      tenant: tx.tenant,
      kind: filing.kind,
      scope: filing.scope,
      channel: filing.channel,
      jurisdiction: clock.jurisdiction,
      law: clock.law,
      zone: clock.zone,
      clock: { ...clock.rule, decidedBy: clock.decidedBy },
      receivedAt: filing.receivedAt,
      dueOn: clock.dueOn,
      acknowledgeBy: clock.acknowledgeBy,
      identityMethod: filing.proven?.method ?? null,
      language:
        filing.language ?? profiles.map(({ language }) => language).find((known) => known !== null) ?? null,
      mailSealed: mail === undefined ? null : this.sealing.seal('request.mail', mail),
      mailDigest: mail === undefined ? null : this.sealing.digest('request.mail', normalise('mail', mail)),
      detailsSealed: filing.details ? this.sealing.seal('request.details', filing.details) : null,
      filedBy: await actorId(tx),
      coolingOff: filing.coolingOff ?? null,
      waivesAccessLock: filing.waiveAccessLock ?? false,
    });
  }

  private profilesOf(tx: UnitOfWork, subjects: readonly Subject[]): Promise<Profile[]> {
    return tx.asHost(async (host) => {
      const found: Profile[] = [];
      for (const subject of subjects) found.push(await this.host.people.profile(host, subject));
      return found;
    });
  }
}

function assertTenant({ tenant }: Tenancy, scope: Scope): void {
  if ((scope === 'account') !== (tenant === HOST_TENANT))
    throw new Error(`scope ${scope} does not belong to this tenant`);
}
