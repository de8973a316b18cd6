import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { driftOr } from '../../datamap/misfit.js';
import { DomainError, notFound } from '../../errors.js';
import { invalidInput } from '../../http/input.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { Controllers } from '../letters/controllers.js';
import { assertFresh } from '../proof/fresh-sign-in.js';
import { type ScheduledDeletion } from './record.js';
import { type NewWorkspaceDeletion } from './deletion.schema.js';
import { SubscriptionRetention } from './subscription-retention.js';

const same = (one: string, other: string) => one.normalize('NFC').trim() === other.normalize('NFC').trim();

/** Who may say that a workspace goes, with which words; the role matrix has said who may speak at all. */
@Injectable()
export class DeletionAuthority {
  constructor(
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly controllers: Controllers,
    private readonly retention: SubscriptionRetention,
  ) {}

  /**
   * An owner types the name, support says why, and both signed in just now; the host's own token says that the
   * subscription has ended.
   * @throws DomainError `auth.stale`, `auth.forbidden`, `deletion.name_mismatch`, `deletion.wrong_reason`, `input.invalid`
   */
  async assertMaySchedule(tx: UnitOfWork, caller: Person | ApiToken, filing: NewWorkspaceDeletion) {
    if (caller.type === 'token') {
      assertHosts(caller);
      if (filing.reason !== 'subscription_ended')
        throw wrongReason(
          'A token schedules the deletion of a workspace with the reason subscription_ended only.',
        );
      return;
    }
    assertFresh(caller, this.clock.now());
    if (caller.roles.includes('owner')) {
      if (filing.reason !== 'owner_request')
        throw wrongReason(
          'An owner schedules the deletion with the reason owner_request, which may be left out.',
        );
      await this.assertTyped(tx, filing.confirm);
      return;
    }
    if (filing.explanation === undefined)
      throw missing('explanation', 'say why: it is kept with the request');
    if (filing.reason === 'orphaned' && !(await this.isOrphaned(tx)))
      throw wrongReason('This workspace has an owner, who schedules its deletion.');
  }

  /** What is kept after its subscription has ended does not go for that. @throws DomainError `deletion.kept_by_retention` */
  assertNotKept(tx: UnitOfWork): Promise<void> {
    return this.retention.assertDeletes(tx);
  }

  /** The host takes back only what it said itself. @throws DomainError `auth.forbidden` */
  assertMayCancel(caller: Person | ApiToken, { reason }: ScheduledDeletion): void {
    if (caller.type !== 'token') return;
    assertHosts(caller);
    if (reason !== 'subscription_ended')
      throw new DomainError(
        'auth.forbidden',
        'What an owner scheduled, an owner, an admin or support cancels.',
      );
  }

  /** A workspace that the host has no name for is confirmed by its id. */
  private async assertTyped(tx: UnitOfWork, typed: string | undefined): Promise<void> {
    if (typed === undefined) throw missing('confirm', 'type the name of the workspace');
    const name = (await this.controllers.workspaceName(tx)) ?? '';
    if (name === '' && this.host.problems.length > 0) this.host.assertFits();
    if (same(typed, name === '' ? tx.tenant : name)) return;
    throw new DomainError(
      'deletion.name_mismatch',
      'This is not the name of the workspace. Type it as it is written there.',
      {
        errors: [
          { path: 'confirm', code: 'deletion.name_mismatch', message: 'is not the name of the workspace' },
        ],
      },
    );
  }

  private async isOrphaned(tx: UnitOfWork): Promise<boolean> {
    const hostKey = await this.controllers.hostKey(tx);
    if (hostKey === undefined) return false;
    const orphans = await tx
      .asHost((host) => this.host.workspaces.withoutOwner(host, [hostKey]))
      .catch(driftOr);
    return orphans.length > 0;
  }
}

/** The host's own matters are nobody's workspace. @throws DomainError `workspace.not_found` */
export function assertWorkspace({ tenant }: Tenancy): void {
  if (tenant === HOST_TENANT) throw notFound('workspace');
}

function assertHosts({ tenant }: ApiToken): void {
  if (tenant !== HOST_TENANT)
    throw new DomainError('auth.forbidden', 'Only a token of the host itself may do this.');
}

const wrongReason = (message: string) => new DomainError('deletion.wrong_reason', message);
const missing = (path: string, message: string) => invalidInput([{ path, code: 'input.missing', message }]);
