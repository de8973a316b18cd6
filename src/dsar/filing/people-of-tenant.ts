import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { mailsOf } from '../../datamap/people.js';
import { type Subject } from '../../datamap/settings.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { isNobodys } from '../../mail/mail-address.js';

/** Whom the host knows behind an address, and who of them a tenant has to do with. */
@Injectable()
export class People {
  constructor(private readonly host: HostMap) {}

  /** An address that the map knows of a person, whichever of their identifiers is a mail; none of somebody erased. */
  mailOf(subject: Subject): string | undefined {
    return mailsOf(this.host.map, subject).find((mail) => !isNobodys(mail));
  }

  /** Everybody whose mail this is, of whatever kind: one address may be several subjects. */
  async behindMail(tx: UnitOfWork, mail: string): Promise<Subject[]> {
    const kinds = Object.values(this.host.map.subjects);
    const names = new Set(
      kinds.flatMap((kind) =>
        Object.values(kind.identifiers).flatMap(({ name, normalise }) =>
          normalise === 'mail' ? [name] : [],
        ),
      ),
    );
    return tx.asHost(async (host) => {
      const found = new Map<string, Subject>();
      for (const name of names) {
        for (const subject of await this.host.people.find(host, name, mail))
          found.set(`${subject.kind}:${subject.key}`, subject);
      }
      return [...found.values()];
    });
  }

  /** Whether the tenant that `tx` works in has this person as a member or holds anything of theirs. */
  async belongs(tx: UnitOfWork, subject: Subject): Promise<boolean> {
    const { tenant } = tx;
    const here = (hostKey: string) => workspaceId(hostKey) === tenant;
    return tx.asHost(async (host) => {
      const memberships = await this.host.workspaces.memberships(host, subject);
      if (memberships.some(({ workspace }) => here(workspace))) return true;
      return (await this.host.workspaces.workspacesTouched(host, [subject])).some(here);
    });
  }
}
