import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { Outbox } from '../../mail/outbox.js';
import { Controllers } from './controllers.js';
import { lastDayToDecide } from '../law/legal-clock.js';
import { People } from '../filing/people-of-tenant.js';
import { type Request } from '../request.js';

/** What those who decide about a part are told. */
@Injectable()
export class ApprovalLetters {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly outbox: Outbox,
    private readonly host: HostMap,
    private readonly people: People,
    private readonly controllers: Controllers,
  ) {}

  /** Asks the owners and admins of the tenant that `tx` is in; the mail says nothing about who asked. */
  async ask(tx: UnitOfWork, request: Request) {
    const workspace = (await this.controllers.workspaceName(tx)) ?? '';
    const hostKey = await this.controllers.hostKey(tx);
    if (hostKey === undefined) return;
    const deciders = await tx.asHost((host) =>
      this.host.workspaces.members(host, hostKey, ['owner', 'admin']),
    );
    const decideBy = request.dueOn && lastDayToDecide(request.dueOn, this.config.dueMargin);
    const { name: controller, contact } = await this.controllers.of(tx, 'workspace');
    for (const person of deciders) {
      const to = await this.addressOf(tx, person);
      if (!to) continue;
      await this.outbox.send(tx, {
        template: 'part-approval-needed',
        ...to,
        about: request.id,
        dedupeKey: `approval:${request.id}:${person.key}`,
        params: {
          controller,
          ...(contact && { contact }),
          reference: request.id,
          asked: { kind: request.kind, scope: request.scope },
          workspace,
          ...(decideBy && { decideBy: { on: decideBy, zone: request.zone } }),
        },
      });
    }
  }

  private async addressOf(
    tx: UnitOfWork,
    person: SubjectRef,
  ): Promise<{ to: string; language: string | null } | undefined> {
    return tx.asHost(async (host) => {
      const subject = await this.host.people.byKey(host, person.kind, person.key);
      const to = subject && this.people.mailOf(subject);
      if (!to) return undefined;
      return { to, language: (await this.host.people.profile(host, person)).language };
    });
  }
}
