import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { Sealing } from '../../keys/sealing.js';
import { Controllers } from '../letters/controllers.js';
import { People } from '../filing/people-of-tenant.js';
import { type Request } from '../request.js';

/** What can only be known while the workspace is there, and is needed when it is gone. */
export interface Snapshot {
  workspace: string;
  controller: string;
  contact?: string;
  /** All who were owners when the purge began. */
  owners: { mail: string; language: string | null }[];
}

const PURPOSE = 'purge.told';

const find = 'select told_sealed as sealed from habeas.workspace_purges where tenant_id = $1';

// One that was given up before is forgotten: only the matter that runs now has anything to tell.
const insert = `
  insert into habeas.workspace_purges (tenant_id, request_id, told_sealed, begun_at) values ($1, $2, $3, $4)
  on conflict (tenant_id) do update
    set request_id = excluded.request_id, told_sealed = excluded.told_sealed, begun_at = excluded.begun_at
  where workspace_purges.request_id <> excluded.request_id`;

/** Who is told of a purge, and as whose: kept sealed from its beginning until everybody has been told. */
@Injectable()
export class Snapshots {
  constructor(
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly host: HostMap,
    private readonly controllers: Controllers,
    private readonly people: People,
  ) {}

  /** Before anything goes; in the tenant of `tx`. */
  async keep(tx: UnitOfWork, request: Request, hostKey: string): Promise<void> {
    const sealed = this.sealing.seal(PURPOSE, await this.take(tx, hostKey));
    await tx.query(insert, [request.tenant, request.id, sealed, this.clock.now()]);
  }

  /** That of the tenant of `tx`; nothing once everybody has been told. */
  async read(tx: UnitOfWork): Promise<Snapshot | undefined> {
    const row = await tx.one<{ sealed: Buffer | null }>(find, [tx.tenant]);
    return row?.sealed ? this.sealing.open<Snapshot>(PURPOSE, row.sealed) : undefined;
  }

  private async take(tx: UnitOfWork, hostKey: string): Promise<Snapshot> {
    const { name, dpo, contact } = await this.controllers.of(tx, 'workspace');
    const workspace = (await this.controllers.workspaceName(tx)) ?? tx.tenant;
    const questions = dpo ?? contact;
    const owners = await this.owners(tx, hostKey);
    return { workspace, controller: name, ...(questions && { contact: questions }), owners };
  }

  private owners(tx: UnitOfWork, hostKey: string): Promise<Snapshot['owners']> {
    return tx.asHost(async (host) => {
      const found: Snapshot['owners'] = [];
      for (const owner of await this.host.workspaces.members(host, hostKey, ['owner'])) {
        const mail = this.people.mailOf(owner);
        const { language } = await this.host.people.profile(host, owner);
        if (mail !== undefined) found.push({ mail, language });
      }
      return found;
    });
  }
}
