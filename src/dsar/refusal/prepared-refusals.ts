import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { Controllers } from '../letters/controllers.js';
import { DeletionBlockers } from '../deletion/blockers.js';
import { delaysEnded } from '../law/delays.js';
import { groundText, type Reason } from './ground-for.js';
import { keptOf, type PlaceOfRows, placesTaken, samePlace, withParents } from './kept-places.js';
import { isLawId } from '../law/laws.js';
import { legalTexts } from '../law/legal-texts.js';
import { matterOf } from '../access/legal-information.js';
import { type Part, Parts, takesPart, undecided } from '../parts.js';
import { groundsOfBlocker } from './blocker-grounds.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** One reason to refuse, and what of the request it reaches; an explanation is absent where the person may not hear more. */
export interface PreparedReason extends Reason {
  blocker: 'held' | 'sole_owner';
  /** Whether the letter may name what is kept. */
  named: boolean;
  places: PlaceOfRows[];
}

export interface PreparedRefusal {
  /** Changes with its content: what is accepted is what was read. */
  id: string;
  scope: 'full' | 'partial';
  reasons: PreparedReason[];
  /** Tenants of parts of which nothing would be left to do; none once the run is planned. */
  whole: string[];
}

/** The refusal that a lasting blocker leads to once the law's date is near. Nothing is remembered, nothing is sent. */
@Injectable()
export class PreparedRefusals {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly blockers: DeletionBlockers,
    private readonly controllers: Controllers,
  ) {}

  /** From `dueOn − DUE_MARGIN` on, while something stands in the way that does not end by itself. */
  async of(tx: UnitOfWork, request: Request): Promise<PreparedRefusal | undefined> {
    if (!this.isTime(request)) return undefined;
    const parts = await this.parts.of(tx, request);
    const going = parts.filter((part) => takesPart(part) || undecided(part));
    const subjects = await this.requests.subjects(tx, request.id);
    const kept = await keptOf(tx, request);
    const left = await this.left(tx, request, placesTaken(this.host.map, going, subjects), kept);
    const reasons = (await this.reasons(tx, request, parts, subjects, left.places)).filter(
      ({ places }) => places.length > 0,
    );
    if (reasons.length === 0) return undefined;
    const stays = (place: PlaceOfRows) =>
      reasons.some(({ places }) => places.some((one) => samePlace(one, place)));
    const full = !left.irreversible && kept.length === 0 && left.places.every(stays);
    const tenants = [...new Set(left.places.map(({ tenant }) => tenant))];
    const whole = left.planned
      ? []
      : tenants.filter((tenant) => left.places.every((place) => place.tenant !== tenant || stays(place)));
    const content = { scope: full ? ('full' as const) : ('partial' as const), reasons, whole };
    const id = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
    return { id, ...content };
  }

  /** As staff read it: the letters word for word, with the rights that end each of them. */
  async told(tx: UnitOfWork, request: Request) {
    const prepared = await this.of(tx, request);
    if (!prepared) return undefined;
    const controller = await this.controllers.of(tx, request.scope);
    return {
      id: prepared.id,
      scope: prepared.scope,
      reasons: prepared.reasons.map((reason) => ({
        blocker: reason.blocker,
        ground: reason.ground,
        letter: groundText(request, reason.ground, ...(reason.explanation ? [reason.explanation] : [])),
        keeps: this.byTenant(reason, prepared.whole),
      })),
      rights: [...legalTexts(request.language).remedies(matterOf(request, controller))],
    };
  }

  private isTime(request: Request): boolean {
    const { kind, scope, status, law } = request;
    if (kind !== 'deletion' || scope === 'workspace' || law === null || !isLawId(law)) return false;
    if (!['received', 'scheduled', 'in_progress'].includes(status) || request.identityProvenAt === null)
      return false;
    return delaysEnded(request, this.clock.now(), this.config) && this.host.problems.length === 0;
  }

  /** What the run would still change: once it has begun, the steps of its plan that are not finished. */
  private async left(
    tx: UnitOfWork,
    request: Request,
    taken: PlaceOfRows[],
    kept: readonly PlaceOfRows[],
  ): Promise<{ planned: boolean; irreversible: boolean; places: PlaceOfRows[] }> {
    const steps = await tx.query<OpenStep>(openSteps, [request.id]);
    const planned = steps.length > 0;
    const open = (place: PlaceOfRows) =>
      !kept.some((one) => samePlace(one, place)) &&
      (!planned ||
        steps.some((s) => s.collection === place.collection && s.workspace === (place.workspace ?? null)));
    return { planned, irreversible: steps.some((s) => s.irreversible), places: taken.filter(open) };
  }

  private async reasons(
    tx: UnitOfWork,
    request: Request,
    parts: readonly Part[],
    subjects: readonly SubjectRef[],
    left: readonly PlaceOfRows[],
  ): Promise<PreparedReason[]> {
    const { map, catalogue } = this.host.current();
    const grounds = groundsOfBlocker(request);
    const reasons: PreparedReason[] = [];
    const reached = (places: readonly PlaceOfRows[]) =>
      withParents(map, catalogue, left.filter((one) => places.some((place) => samePlace(place, one))), left); // prettier-ignore
    for (const { hold, places } of await this.blockers.holdsOn(tx, parts, subjects, [])) {
      const ground = hold.disclosable ? grounds.held : grounds.heldInSecret;
      const explanation = hold.disclosable ? `We have to keep it for this reason: ${hold.ground}` : undefined;
      const known = reasons.find((one) => one.ground === ground && one.explanation === explanation);
      const theirs = reached(places);
      if (known) known.places.push(...without(theirs, known));
      else
        reasons.push({
          blocker: 'held',
          ground,
          ...(explanation && { explanation }),
          named: hold.disclosable,
          places: theirs,
        });
    }
    const owned = await this.blockers.soleOwned(tx, request, parts, subjects);
    // Their account answers for what they own.
    const places = left.filter(
      ({ tenant }) => owned.length > 0 && (tenant === HOST_TENANT || owned.includes(tenant)),
    );
    const explanation =
      'You are the only owner of a workspace. Make somebody else an owner, or schedule the deletion of the workspace; then ask again.';
    reasons.push({
      ...{ blocker: 'sole_owner', ground: grounds.soleOwner, explanation, named: true },
      places: reached(places),
    });
    // The person hears each reason that they may hear; one they may not, only where there is no other.
    const told = reasons.filter(({ named }) => named);
    return reasons.map((one) => (one.named ? one : { ...one, places: without(one.places, ...told) }));
  }

  private byTenant({ places }: PreparedReason, whole: readonly string[]) {
    return [...Map.groupBy(places, ({ tenant }) => tenant)].map(([tenant, theirs]) => ({
      scope: tenant === HOST_TENANT ? ('account' as const) : ('workspace' as const),
      ...(tenant !== HOST_TENANT && { workspaceId: tenant }),
      everything: whole.includes(tenant),
      collections: theirs.map(({ collection }) => ({
        collection,
        title: this.host.map.collections[collection]?.title ?? collection,
      })),
    }));
  }
}

const without = (places: readonly PlaceOfRows[], ...reasons: PreparedReason[]): PlaceOfRows[] =>
  places.filter((place) => !reasons.some((one) => one.places.some((other) => samePlace(other, place))));

interface OpenStep {
  /** null: the plan has no open step any more. */
  collection: string | null;
  workspace: string | null;
  irreversible: boolean;
}

const openSteps = `
  select s.collection, s.workspace, e.irreversible_at is not null as irreversible
  from habeas.erasures e
  left join habeas.erasure_steps s on s.erasure_id = e.id and s.finished_at is null and s.rule <> 'keep'
  where e.job_id = $1 and e.job_sealed is not null`;
