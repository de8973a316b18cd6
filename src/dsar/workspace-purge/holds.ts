import { Injectable } from '@nestjs/common';
import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { type Request } from '../request.js';
import { Presence } from './presence.js';

interface HostHold {
  id: string;
  kind: string | null;
  key: string | null;
  collection: string | null;
  disclosable: boolean;
}
type PersonalHold = HostHold & SubjectRef;

// FOR SHARE: they stay as they are until the transaction ends, so that no release and no second thought slips in between.
const ofWorkspace =
  'select disclosable from habeas.holds where tenant_id = $1 and released_at is null for share';
const ofHost = `
  select id, subject_kind as kind, subject_key as key, collection, disclosable from habeas.holds
  where tenant_id = $1 and released_at is null and id <> all ($2::uuid[]) for share`;

/**
 * Holds that stop the purge of a workspace: its own, whoever they are about, since everything goes; and those of the
 * host, which reach everywhere, as far as they are about somebody or something in it.
 */
@Injectable()
export class PurgeHolds {
  /** Of each run: holds on people who have nothing to do with the workspace, so that a batch asks for new ones only. */
  private readonly passed = new WeakMap<Request, Set<string>>();

  constructor(private readonly presence: Presence) {}

  /**
   * All that stop the purge of the tenant of `tx` now.
   * @param run the request of a purge that asks before every batch: of whom it has learnt that they are not there, it
   * does not ask again
   */
  async of(tx: UnitOfWork, run?: Request): Promise<{ disclosable: boolean }[]> {
    const own = await tx.query<{ disclosable: boolean }>(ofWorkspace, [tx.tenant]);
    const passed = run && (this.passed.get(run) ?? new Set());
    const others = await tx.inTenant(HOST_TENANT, () =>
      tx.query<HostHold>(ofHost, [HOST_TENANT, [...(passed ?? [])]]),
    );
    if (others.length === 0) return own;
    const stopping = await this.concerned(tx, others);
    if (run && passed) {
      for (const hold of others) if (isPersonal(hold) && !stopping.includes(hold)) passed.add(hold.id);
      this.passed.set(run, passed);
    }
    return [...own, ...stopping];
  }

  private async concerned(tx: UnitOfWork, holds: readonly HostHold[]): Promise<HostHold[]> {
    const found: HostHold[] = [];
    for (const [collection, theirs] of Map.groupBy(
      holds.filter((hold) => !isPersonal(hold)),
      (hold) => hold.collection,
    ))
      if (collection === null || (await this.inCollection(tx, collection))) found.push(...theirs);
    for (const [collection, theirs] of Map.groupBy(holds.filter(isPersonal), (hold) => hold.collection))
      found.push(...(await this.onPeopleHere(tx, theirs, collection)));
    return found;
  }

  /** Many are asked about at once, and halved where somebody is found: few ever are. */
  private async onPeopleHere(
    tx: UnitOfWork,
    holds: readonly PersonalHold[],
    collection: string | null,
  ): Promise<PersonalHold[]> {
    if (holds.length === 0) return [];
    // Where the host's tables cannot be read as the map says, nobody can be sure that they are not there.
    const here = await tx.attempt(() => this.presence.ofAny(tx, holds, collection), unlessMisfit(true));
    if (!here || holds.length === 1) return here ? [...holds] : [];
    const half = Math.ceil(holds.length / 2);
    return [
      ...(await this.onPeopleHere(tx, holds.slice(0, half), collection)),
      ...(await this.onPeopleHere(tx, holds.slice(half), collection)),
    ];
  }

  private inCollection(tx: UnitOfWork, collection: string): Promise<boolean> {
    return tx.attempt(() => this.presence.ofCollection(tx, collection), unlessMisfit(true));
  }
}

const isPersonal = (hold: HostHold): hold is PersonalHold => hold.kind !== null && hold.key !== null;

export const HELD = 'Something in this workspace has to be kept for a legal reason for now.';
