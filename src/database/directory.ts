import { type UnitOfWork } from './unit-of-work.js';

/** Where a workspace is. Nothing personal, ever; its name is read through the data map. */
export interface DirectoryEntry {
  /** The tenant's uuid. */
  id: string;
  /** The host's own key of the workspace, as text. */
  hostKey: string;
  region: string;
  /** Undefined: nobody chose, so the region says nothing about the law. */
  regionChosenAt?: Date;
  plane: string;
}

const columns = `id, host_key as "hostKey", region, region_chosen_at as "regionChosenAt", plane`;

/**
 * The shared metadata of workspaces, read and written in the workspace's own tenancy. It lives down here because
 * both identity (which workspace is this?) and residency (which region?) stand on it.
 */
export class Directory {
  /** The entry of the tenant that `tx` is in, or undefined before its first sight. */
  async find(tx: UnitOfWork): Promise<DirectoryEntry | undefined> {
    const row = await tx.one<DirectoryRow>(`select ${columns} from habeas.workspaces where id = $1`, [
      tx.tenant,
    ]);
    return row && entryOf(row);
  }

  /** The entry, made on first sight of the workspace; several may see it first at once. */
  async ensure(tx: UnitOfWork, hostKey: string): Promise<DirectoryEntry> {
    const insert = 'insert into habeas.workspaces (id, host_key) values ($1, $2) on conflict (id) do nothing';
    await tx.query(insert, [tx.tenant, hostKey]);
    const entry = await this.find(tx);
    if (!entry) throw new Error('the directory did not keep the workspace');
    return entry;
  }

  /** Writes the region that somebody chose. @returns whether there was an entry to write it to */
  async chooseRegion(tx: UnitOfWork, region: string, chosenAt: Date): Promise<boolean> {
    const update =
      'update habeas.workspaces set region = $2, region_chosen_at = $3 where id = $1 returning id';
    return (await tx.one(update, [tx.tenant, region, chosenAt])) !== undefined;
  }
}

type DirectoryRow = Omit<DirectoryEntry, 'regionChosenAt'> & { regionChosenAt: Date | null };
const entryOf = (row: DirectoryRow): DirectoryEntry => ({
  ...row,
  regionChosenAt: row.regionChosenAt ?? undefined,
});
