import { Injectable } from '@nestjs/common';
import { Directory, type DirectoryEntry } from '../../database/directory.js';
import { HOST_TENANT } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { type Subject } from '../../datamap/settings.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { DomainError } from '../../errors.js';
import { ControllerProfiles } from '../../residency/controller-profiles.js';
import { regionOf } from '../../residency/regions.js';
import { type Scope } from '../request.js';
import { type PartWhereabouts } from './starting-clock.js';

/** What of a request would lie in one tenant. */
export interface PartPlace extends PartWhereabouts {
  tenant: string;
  hostKey: string | null;
  policy: 'auto' | 'approve';
}

/** The parts that a request would have; not complete where the host's tables could not be read. */
export interface Places {
  places: PartPlace[];
  complete: boolean;
}

/** Which tenants a request touches, and where each of them is. */
@Injectable()
export class Whereabouts {
  constructor(
    private readonly host: HostMap,
    private readonly directory: Directory,
    private readonly profiles: ControllerProfiles,
  ) {}

  /**
   * The parts of a request of the tenant that `tx` is in; subjects are those proven, if any. Where the host's tables
   * cannot be read as the map says, only the account's own part is known, and the rest is asked for again later.
   * @throws DomainError `workspace.purged` for a request of a workspace that was deleted
   */
  async of(tx: UnitOfWork, scope: Scope, subjects: readonly Subject[]): Promise<Places> {
    if (scope !== 'account') return { places: [await this.ofWorkspace(tx, scope)], complete: true };
    const touched = await tx.attempt(
      () => tx.asHost((host) => this.host.workspaces.workspacesTouched(host, [...subjects])),
      unlessMisfit<string[] | undefined>(undefined),
    );
    const hostKeys = touched ?? [];
    const parts: PartPlace[] = [];
    for (const hostKey of hostKeys) {
      parts.push(
        await tx.inTenant(workspaceId(hostKey), async () => {
          const entry = await this.directory.ensure(tx, hostKey);
          return this.ofWorkspace(tx, scope, hostKey, entry);
        }),
      );
    }
    const { establishment } = this.host.map.controller;
    // What the host decides about itself needs nobody's approval.
    const own: PartPlace = { tenant: HOST_TENANT, hostKey: null, policy: 'auto', establishment };
    return { places: [...parts, own], complete: touched !== undefined };
  }

  private async ofWorkspace(
    tx: UnitOfWork,
    scope: Scope,
    hostKey?: string,
    known?: DirectoryEntry,
  ): Promise<PartPlace> {
    const entry = known ?? (await this.directory.find(tx));
    // What has come back under its key since is found by way of the people whose it is, for their account.
    if (entry?.purgedAt && hostKey === undefined)
      throw new DomainError('workspace.purged', 'This workspace was deleted, and what belonged to it.');
    const profile = await this.profiles.read(tx);
    const region = entry && regionOf(entry.region);
    return {
      tenant: tx.tenant,
      hostKey: hostKey ?? entry?.hostKey ?? null,
      // Who may file for the whole workspace decides by filing; nobody approves their own request.
      policy: scope === 'workspace' ? 'auto' : profile.approvals,
      establishment: profile.establishment,
      region: region && {
        defaultJurisdiction: region.defaultJurisdiction,
        chosen: entry.regionChosenAt !== undefined,
      },
    };
  }
}
