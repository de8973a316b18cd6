import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type ApiToken, type Person } from '../identity/principal.js';
import { ControllerProfiles } from '../residency/controller-profiles.js';
import { Controllers } from './controllers.js';
import { People } from './people-of-tenant.js';

/** Where the link to a workspace's own package goes: to whoever filed, if they may have it, else to an owner. */
@Injectable()
export class PackageRecipient {
  constructor(
    private readonly host: HostMap,
    private readonly people: People,
    private readonly controllers: Controllers,
    private readonly profiles: ControllerProfiles,
  ) {}

  /** An address, in the tenant of `tx`; undefined where no owner has one. Throws what Postgres says of a misfit. */
  async of(tx: UnitOfWork, filer?: Person | ApiToken): Promise<string | undefined> {
    const { adminMayDownload } = await this.profiles.read(tx);
    const hostKey = await this.controllers.hostKey(tx);
    const roles: readonly string[] = filer?.roles ?? [];
    const mayHave = roles.includes('owner') || (adminMayDownload && roles.includes('admin'));
    return tx.asHost(async (host) => {
      const owners =
        hostKey === undefined ? [] : await this.host.workspaces.members(host, hostKey, ['owner']);
      const self =
        filer?.type === 'person' && mayHave
          ? await this.host.people.byKey(host, filer.subject.kind, filer.subject.key)
          : undefined;
      return [self, ...owners]
        .map((person) => person && this.people.mailOf(person))
        .find((mail) => mail !== undefined);
    });
  }
}
