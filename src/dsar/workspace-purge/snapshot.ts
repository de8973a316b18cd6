import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Sealing } from '../../keys/sealing.js';

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

export const sealSnapshot = (sealing: Sealing, snapshot: Snapshot): Buffer => sealing.seal(PURPOSE, snapshot);

/** That of the tenant of `tx`; nothing once everybody has been told. */
export async function readSnapshot(tx: UnitOfWork, sealing: Sealing): Promise<Snapshot | undefined> {
  const row = await tx.one<{ sealed: Buffer | null }>(find, [tx.tenant]);
  return row?.sealed ? sealing.open<Snapshot>(PURPOSE, row.sealed) : undefined;
}
