import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { driftOr } from '../../datamap/misfit.js';
import { Outbox } from '../../mail/outbox.js';
import { type MailParams } from '../../mail/catalogue/params.js';
import { Controllers } from '../letters/controllers.js';
import { People } from '../filing/people-of-tenant.js';
import { type Request } from '../request.js';
import { type DeletionReason } from './deletion.schema.js';

type Letter = 'workspace-deletion-scheduled' | 'workspace-deletion-reminder' | 'workspace-deletion-cancelled';

/** What a workspace's owners are told of its deletion: all who are owners at that moment, each once. */
@Injectable()
export class DeletionLetters {
  constructor(
    private readonly outbox: Outbox,
    private readonly host: HostMap,
    private readonly people: People,
    private readonly controllers: Controllers,
  ) {}

  scheduled(tx: UnitOfWork, request: Request, why: DeletionReason): Promise<void> {
    return this.toOwners(tx, request, 'workspace-deletion-scheduled', 'scheduled', { why });
  }

  reminder(tx: UnitOfWork, request: Request, days: 7 | 1): Promise<void> {
    return this.toOwners(tx, request, 'workspace-deletion-reminder', `reminder-${days}`, { days });
  }

  cancelled(tx: UnitOfWork, request: Request): Promise<void> {
    return this.toOwners(tx, request, 'workspace-deletion-cancelled', 'cancelled', {});
  }

  /** @throws DomainError `datamap.drift`: nobody is left out because the host's tables could not be read */
  private async toOwners(
    tx: UnitOfWork,
    request: Request,
    template: Letter,
    once: string,
    own: { why?: DeletionReason; days?: 7 | 1 },
  ): Promise<void> {
    const { name: controller, dpo, contact } = await this.controllers.of(tx, 'workspace');
    const workspace = (await this.controllers.workspaceName(tx)) ?? tx.tenant;
    const questions = dpo ?? contact;
    const params = {
      controller,
      ...(questions && { contact: questions }),
      reference: request.id,
      asked: { kind: 'deletion', scope: 'workspace', workspace },
      workspace,
      goesAt: { at: request.runAfter?.toISOString(), zone: request.zone },
      ...own,
    };
    for (const { key, to, language } of await this.owners(tx))
      await this.outbox.send(tx, {
        template,
        to,
        language,
        about: request.id,
        dedupeKey: `${request.id}:${once}:${key}`,
        params: params as unknown as MailParams[Letter],
      });
  }

  private async owners(tx: UnitOfWork): Promise<{ key: string; to: string; language: string | null }[]> {
    const hostKey = await this.controllers.hostKey(tx);
    if (hostKey === undefined) return [];
    return tx
      .asHost(async (host) => {
        const found = [];
        for (const owner of await this.host.workspaces.members(host, hostKey, ['owner'])) {
          const to = this.people.mailOf(owner);
          if (to === undefined) continue;
          const { language } = await this.host.people.profile(host, owner);
          found.push({ key: `${owner.kind}:${owner.key}`, to, language });
        }
        return found;
      })
      .catch(driftOr);
  }
}
