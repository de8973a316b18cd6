import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Queue } from '../jobs/queue.js';
import { type Request } from './request.js';

/** Who does what, by queue. Jobs carry ids only; what is to be done, and whether, the rows say. */
export const ACCESS_FULFILMENT = 'access-fulfilment';
export const DELETION_FULFILMENT = 'deletion-fulfilment';
export const WORKSPACE_PURGE = 'workspace-purge';
export const CANCELLATION_LETTERS = 'cancellation-letters';
export const PACKAGE_REBUILD = 'package-rebuild';
export const MAIL_DELIVERY = 'mail-delivery';

/** Lets whoever fulfils requests of this kind look whether this one is due. */
export async function enqueueFulfilment(
  queue: Queue,
  tx: UnitOfWork,
  { kind, scope, tenant, id }: Request,
): Promise<void> {
  if (kind === 'access') await queue.enqueue(tx, ACCESS_FULFILMENT, { tenant, id });
  else await queue.enqueue(tx, scope === 'workspace' ? WORKSPACE_PURGE : DELETION_FULFILMENT, { tenant, id });
}
