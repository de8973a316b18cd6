import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { titleIn } from '../../datamap/map.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Outbox } from '../../mail/outbox.js';
import { Webhooks } from '../../webhooks/webhooks.js';
import { certificateWords } from '../letters/certificate-words.js';
import { type Purge } from './purge-step.js';
import { Snapshots } from './snapshots.js';

/** Who is told that a workspace is gone: all who were its owners, with its certificate, and the host app. */
@Injectable()
export class LastWords {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly host: HostMap,
    private readonly snapshots: Snapshots,
    private readonly outbox: Outbox,
    private readonly webhooks: Webhooks,
  ) {}

  async send(tx: UnitOfWork, { request, job }: Purge, certificate: SignedCertificate): Promise<void> {
    await this.tellOwners(tx, request.id, certificate);
    await this.webhooks.announce(tx, {
      type: 'workspace.purged',
      data: { requestId: request.id, erasureId: job.id },
    });
  }

  /** Each address leaves the snapshot for the sealed letter, which ends when it is sent or given up. */
  private async tellOwners(tx: UnitOfWork, requestId: string, certificate: SignedCertificate): Promise<void> {
    const told = await this.snapshots.read(tx);
    if (!told) return;
    const { workspace, controller, contact, owners } = told;
    for (const [n, { mail, language }] of owners.entries())
      await this.outbox.send(tx, {
        template: 'workspace-deleted',
        to: mail,
        language,
        about: requestId,
        dedupeKey: `${requestId}:workspace-deleted:${n}`,
        params: {
          ...certificateWords(certificate, this.config, (name) => titleIn(this.host.map, name, 'workspace')),
          ...{ controller, workspace, ...(contact !== undefined && { contact }) },
          reference: requestId,
          asked: { kind: 'deletion', scope: 'workspace', workspace },
        },
      });
  }
}
