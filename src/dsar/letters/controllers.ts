import { Injectable } from '@nestjs/common';
import { Directory } from '../../database/directory.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { type ControllerProfile } from '../../datamap/schema.js';
import { ControllerProfiles } from '../../residency/controller-profiles.js';
import { type Scope } from '../request.js';

/** Who answers for a matter: the host for account matters, else the workspace of `tx`, as the legal texts name them. */
@Injectable()
export class Controllers {
  constructor(
    private readonly host: HostMap,
    private readonly directory: Directory,
    private readonly profiles: ControllerProfiles,
  ) {}

  async of(tx: UnitOfWork, scope: Scope): Promise<ControllerProfile> {
    const host = this.host.map.controller;
    if (scope === 'account') return host;
    const own = await this.profiles.read(tx);
    const known = Object.entries(own).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    // Who filled in nothing is at least named, and reached through the host that processes for them.
    return {
      ...(own.name ? {} : { contact: host.contact }),
      ...Object.fromEntries(known),
      name: own.name ?? (await this.workspaceName(tx)) ?? host.name,
    };
  }

  /** Read through the map; undefined for a tenant that is no workspace of the host (any more). */
  async workspaceName(tx: UnitOfWork): Promise<string | undefined> {
    const hostKey = await this.hostKey(tx);
    if (hostKey === undefined) return undefined;
    return tx.attempt(
      () => tx.asHost((host) => this.host.workspaces.workspaceName(host, hostKey)),
      unlessMisfit<string | undefined>(undefined),
    );
  }

  async hostKey(tx: UnitOfWork): Promise<string | undefined> {
    return (await this.directory.find(tx))?.hostKey;
  }
}
