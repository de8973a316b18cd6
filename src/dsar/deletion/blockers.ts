import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { type Hold, Holds } from '../../deletion/holds/holds.js';
import { delaysEnded } from '../law/delays.js';
import { accessWaits } from '../access/open-access.js';
import { covers, keptOf, type PlaceOfRows, placesTaken, samePlace } from '../refusal/kept-places.js';
import { type Part, takesPart, undecided } from '../parts.js';
import { type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { type Reader } from '../request-view.js';

/** What stands between a proven deletion and its run. */
export interface DeletionBlocker {
  code: 'sole_owner' | 'held' | 'access_open' | 'cooling_off';
  /** Names nobody and nothing: also for failures that are kept. */
  message: string;
  /** What staff read, and the person where it is disclosable: of a hold its ground and when it is looked at again. */
  inFull?: string;
  /** Only delays it: ends at `dueOn − DUE_MARGIN` at the latest. What does not is the desk's then. */
  delays: boolean;
  /** false: the person must not hear of it. */
  disclosable: boolean;
}

// As the person themselves, across tenants: an access request may run elsewhere.
const openAccess = `select 1 from habeas.requests r where ${accessWaits} limit 1`;

const workspaceGoes = `
  select 1 from habeas.requests
  where tenant_id = $1 and kind = 'deletion' and scope = 'workspace' and status in ('scheduled', 'in_progress')`;

/**
 * What somebody may know of it: staff everything, the person what is disclosable, others no more than that something
 * is kept.
 */
export function toldTo(
  reader: Reader,
  found: readonly DeletionBlocker[],
): { code: string; message: string }[] {
  const inFull = reader === 'staff' || reader === 'subject';
  const told = found
    .filter(({ disclosable }) => disclosable || reader === 'staff')
    .map((one) => ({ code: one.code, message: (inFull ? one.inFull : undefined) ?? one.message }));
  return [...new Map(told.map((one) => [one.message, one])).values()];
}

interface Covering {
  hold: Hold;
  places: PlaceOfRows[];
}

const blockerOf = ({ ground, reviewOn, disclosable }: Hold): DeletionBlocker => ({
  code: 'held',
  message: 'The data has to be kept for a legal reason for now.',
  inFull: `The data has to be kept for now: ${ground.replace(/\.$/, '')}. This is looked at again on ${reviewOn}.`,
  delays: false,
  disclosable,
});

/** Looks at what stands in the way of a person's deletion, in the tenant that runs it. Nothing is remembered. */
@Injectable()
export class DeletionBlockers {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly holds: Holds,
  ) {}

  /** All of them; empty for what is closed, not proven, or no deletion of a person. */
  async of(
    tx: UnitOfWork,
    request: Request,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
  ): Promise<DeletionBlocker[]> {
    if (request.kind !== 'deletion' || request.scope === 'workspace') return [];
    if (!isOpen(request.status) || request.identityProvenAt === null) return [];
    const found = [
      ...(await this.soleOwner(tx, request, parts, subjects)),
      ...(await this.held(tx, parts, subjects, await keptOf(tx, request))),
    ];
    // Once it runs it neither cools off nor waits for a package.
    const waits = request.status === 'received' || request.status === 'scheduled';
    if (!waits || delaysEnded(request, this.clock.now(), this.config)) return found;
    return [...found, ...(await this.accessOpen(tx, request, subjects)), ...this.coolingOff(request)];
  }

  /**
   * What keeps these people's data by law, hold by hold; asked again before every batch.
   * @param kept what the run leaves as it is anyway
   */
  async held(
    tx: UnitOfWork,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
    kept: readonly Omit<PlaceOfRows, 'tenant'>[],
  ): Promise<DeletionBlocker[]> {
    return (await this.holdsOn(tx, parts, subjects, kept)).map(({ hold }) => blockerOf(hold));
  }

  /** As `held`, of an erasure behind which there may be no request any more. */
  async heldFrom(tx: UnitOfWork, job: ErasureJob): Promise<DeletionBlocker[]> {
    const places = job.workspaces.map((hostKey) => ({ tenant: workspaceId(hostKey), hostKey }));
    const account = job.scope === 'account' ? [{ tenant: HOST_TENANT, hostKey: null }] : [];
    const found = await this.covering(tx, [...places, ...account], job.subjects, job.kept ?? []);
    return found.map(({ hold }) => blockerOf(hold));
  }

  /** Holds in force that cover something which the run would take, with what of it. */
  holdsOn(
    tx: UnitOfWork,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
    kept: readonly Omit<PlaceOfRows, 'tenant'>[],
  ): Promise<Covering[]> {
    const going = parts.filter((part) => takesPart(part) || undecided(part));
    return this.covering(tx, going, subjects, kept);
  }

  /** Of the tenants that are touched, and of the host, whose own reach into every workspace. */
  private async covering(
    tx: UnitOfWork,
    going: readonly Pick<Part, 'tenant' | 'hostKey'>[],
    subjects: readonly SubjectRef[],
    kept: readonly Omit<PlaceOfRows, 'tenant'>[],
  ): Promise<Covering[]> {
    const found: { hold: Hold; tenant: string }[] = [];
    for (const tenant of new Set([HOST_TENANT, tx.tenant, ...going.map((part) => part.tenant)]))
      for (const hold of await tx.inTenant(tenant, () => this.holds.against(tx, subjects)))
        found.push({ hold, tenant });
    if (found.length === 0) return [];
    const taken = placesTaken(this.host.map, going, subjects).filter(
      (place) => !kept.some((one) => samePlace(place, one)),
    );
    return found
      .map(({ hold, tenant }) => ({
        hold,
        places: taken.filter((place) => covers({ tenant, collection: hold.collection }, place)),
      }))
      .filter(({ places }) => places.length > 0);
  }

  /** Workspaces that nobody else would own, as far as the run touches them or their owner's account. */
  async soleOwned(
    tx: UnitOfWork,
    request: Request,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
  ): Promise<string[]> {
    const owned = await tx.attempt(() => this.ownedAlone(tx, subjects), unlessMisfit<string[]>([]));
    const going = parts.filter((part) => takesPart(part) || undecided(part)).map(({ tenant }) => tenant);
    const found: string[] = [];
    for (const tenant of owned.map(workspaceId)) {
      if (request.scope === 'person' && tenant !== request.tenant) continue;
      if (going.length > 0 && !going.includes(tenant) && !going.includes(HOST_TENANT)) continue;
      const goes = await tx.inTenant(tenant, () => tx.one(workspaceGoes, [tenant]));
      if (!goes) found.push(tenant);
    }
    return found;
  }

  private async soleOwner(
    tx: UnitOfWork,
    request: Request,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
  ): Promise<DeletionBlocker[]> {
    const count = (await this.soleOwned(tx, request, parts, subjects)).length;
    if (count === 0) return [];
    const where = count === 1 ? 'a workspace' : `${count} workspaces`;
    const message = `You are the only owner of ${where}. Make somebody else an owner, or delete it first.`;
    return [{ code: 'sole_owner', message, delays: false, disclosable: true }];
  }

  private ownedAlone(tx: UnitOfWork, subjects: readonly SubjectRef[]): Promise<string[]> {
    const isTheirs = (one: SubjectRef) =>
      subjects.some(({ kind, key }) => one.kind === kind && one.key === key);
    return tx.asHost(async (host) => {
      const alone = new Set<string>();
      for (const subject of subjects)
        for (const { workspace, role } of await this.host.workspaces.memberships(host, { ...subject })) {
          if (role !== 'owner') continue;
          const owners = await this.host.workspaces.members(host, workspace, ['owner']);
          if (owners.every(isTheirs)) alone.add(workspace);
        }
      return [...alone];
    });
  }

  private async accessOpen(
    tx: UnitOfWork,
    request: Request,
    subjects: readonly SubjectRef[],
  ): Promise<DeletionBlocker[]> {
    if (request.waivesAccessLock || subjects.length === 0) return [];
    const open = await tx.asSelf(subjects, (own) => own.query(openAccess, [this.clock.now()]));
    if (open.length === 0) return [];
    const message = 'A copy of your data is being put together, or has not been downloaded yet.';
    return [{ code: 'access_open', message, delays: true, disclosable: true }];
  }

  private coolingOff({ runAfter }: Request): DeletionBlocker[] {
    if (runAfter === null || runAfter <= this.clock.now()) return [];
    const message = `You can still change your mind until ${runAfter.toISOString()}.`;
    return [{ code: 'cooling_off', message, delays: true, disclosable: true }];
  }
}
