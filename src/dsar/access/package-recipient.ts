import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { normalise } from '../../datamap/normalise.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { Sealing } from '../../keys/sealing.js';
import { ControllerProfiles } from '../../residency/controller-profiles.js';
import { Controllers } from '../letters/controllers.js';
import { People } from '../filing/people-of-tenant.js';
import { type Request } from '../request.js';

/** Where the link to a workspace's own package goes: to whoever filed, if they may have it, else to an owner. */
@Injectable()
export class PackageRecipient {
  constructor(
    private readonly host: HostMap,
    private readonly people: People,
    private readonly controllers: Controllers,
    private readonly profiles: ControllerProfiles,
    private readonly sealing: Sealing,
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

  /**
   * The request with the address that its link may go to at this moment: whoever filed for the workspace may have lost
   * their role since, and then it is an owner's, or none while no owner has one. A person's request keeps its own.
   */
  async now(tx: UnitOfWork, request: Request): Promise<Request> {
    if (request.scope !== 'workspace') return request;
    if (request.mailSealed && (await this.mayHave(tx, this.sealing.open('request.mail', request.mailSealed))))
      return request;
    const mail = await this.of(tx);
    if (mail === undefined) return { ...request, mailSealed: null };
    const mailSealed = this.sealing.seal('request.mail', mail);
    const digest = this.sealing.digest('request.mail', normalise('mail', mail));
    await tx.query('update habeas.requests set mail_sealed = $2, mail_digest = $3 where id = $1', [
      request.id,
      mailSealed,
      digest,
    ]);
    return { ...request, mailSealed };
  }

  private async mayHave(tx: UnitOfWork, mail: string): Promise<boolean> {
    const { adminMayDownload } = await this.profiles.read(tx);
    const hostKey = await this.controllers.hostKey(tx);
    if (hostKey === undefined) return false;
    const members = await tx.asHost((host) =>
      this.host.workspaces.members(host, hostKey, adminMayDownload ? ['owner', 'admin'] : ['owner']),
    );
    return members.some((member) => {
      const theirs = this.people.mailOf(member);
      return theirs !== undefined && normalise('mail', theirs) === normalise('mail', mail);
    });
  }
}
