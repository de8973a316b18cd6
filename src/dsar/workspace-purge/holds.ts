import { type UnitOfWork } from '../../database/unit-of-work.js';

const holds = 'select disclosable from habeas.holds where tenant_id = $1 and released_at is null for share';

/**
 * Holds that stop the purge of the tenant of `tx`, whoever they are about: everything goes. They stay as they are until
 * the transaction ends, so that no release and no second thought slips in between.
 */
export const holdsOfWorkspace = (tx: UnitOfWork): Promise<{ disclosable: boolean }[]> =>
  tx.query<{ disclosable: boolean }>(holds, [tx.tenant]);

export const HELD = 'Something in this workspace has to be kept for a legal reason for now.';
