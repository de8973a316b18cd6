import { type UnitOfWork } from './unit-of-work.js';

/** Where a workspace is. Nothing personal, ever; its name is read through the data map. */
export interface DirectoryEntry {
  /** The tenant's uuid. */
  id: string;
  /** The host's own key of the workspace, as text; '' once it is purged. */
  hostKey: string;
  region: string;
  /** Undefined: nobody chose, so the region says nothing about the law. */
  regionChosenAt?: Date;
  plane: string;
  /** When it was purged; from then on id and date are all that is known of it. */
  purgedAt?: Date;
}

const columns = `
  id, coalesce(host_key, '') as "hostKey", coalesce(region, '') as region, region_chosen_at as "regionChosenAt",
  coalesce(plane, '') as plane, purged_at as "purgedAt"`;

const forget = `
  update habeas.workspaces
  set purged_at = $2, host_key = null, hostnames = '{}', region = null, region_chosen_at = null, plane = null, first_seen_at = null
  where id = $1 and purged_at is null`;

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

  /**
   * The entry, made on first sight of the workspace; several may see it first at once. One that was purged stays so,
   * whoever comes with its key: it is no new workspace until its log has ended.
   */
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
      'update habeas.workspaces set region = $2, region_chosen_at = $3 where id = $1 and purged_at is null returning id';
    return (await tx.one(update, [tx.tenant, region, chosenAt])) !== undefined;
  }

  /** The workspace is no more: id and date are all that stays of it. */
  async forget(tx: UnitOfWork, purgedAt: Date): Promise<void> {
    await tx.query(forget, [tx.tenant, purgedAt]);
  }
}

type DirectoryRow = Omit<DirectoryEntry, 'regionChosenAt' | 'purgedAt'> & {
  regionChosenAt: Date | null;
  purgedAt: Date | null;
};
const entryOf = ({ regionChosenAt, purgedAt, ...row }: DirectoryRow): DirectoryEntry => ({
  ...row,
  regionChosenAt: regionChosenAt ?? undefined,
  ...(purgedAt && { purgedAt }),
});
