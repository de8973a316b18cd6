import { DomainError } from '../../errors.js';

/** A workspace's deletion begins and ends at its one door, where its owners and the product hear of it. */
export const useDeletion = (tenant: string): DomainError =>
  new DomainError(
    'request.use_deletion',
    `The deletion of a workspace is cancelled with DELETE /v1/workspaces/${tenant}/deletion.`,
  );
