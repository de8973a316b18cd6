import { Injectable } from '@nestjs/common';
import { Directory } from '../../database/directory.js';
import { type SubjectRef } from '../../database/tenancy.js';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { toldName } from '../../datamap/held-rows.js';
import { HostMap } from '../../datamap/host-map.js';
import { type Collection } from '../../datamap/map.js';
import { Members } from '../../datamap/members.js';
import { qualified } from '../../datamap/names.js';
import { type Selection, settingsStatement } from '../../datamap/settings.js';
import { reaches, rowsSelected } from '../../datamap/walk.js';
import { WorkspaceMap } from '../../deletion/workspace-map.js';
import { NotedMembers } from './noted-members.js';

// What reads them raises again where they were forgotten.
const unset = `select set_config('habeas.subjects', '', true), set_config('habeas.workspaces', '', true)`;

/** What is in a workspace of which a purge would take something: asked by way of the map, in the tenant of `tx`. */
@Injectable()
export class Presence {
  private readonly purged: WorkspaceMap;

  constructor(
    private readonly host: HostMap,
    private readonly directory: Directory,
    private readonly noted: NotedMembers,
  ) {
    this.purged = new WorkspaceMap(host);
  }

  /** Whether a purge would take rows of this collection. */
  async ofCollection(tx: UnitOfWork, collection: string): Promise<boolean> {
    const workspace = await this.workspaceOf(tx);
    if (workspace === undefined) return false;
    return tx.asHost((host) => this.hasRows(host, this.taken(collection), { workspaces: [workspace] }));
  }

  /**
   * Whether any of these people belongs to the workspace, did when its purge began, or has rows that a purge would take.
   * @param collection only where a purge takes rows of it; the rows are looked for there alone
   */
  async ofAny(tx: UnitOfWork, people: readonly SubjectRef[], collection: string | null): Promise<boolean> {
    const taken = this.taken(collection);
    const workspace = await this.workspaceOf(tx);
    if (workspace === undefined || taken.length === 0) return false;
    if (await this.noted.anyOf(tx, people)) return true;
    return tx.asHost(async (host) => {
      const { map, catalogue } = this.host.current();
      if (await new Members(map, catalogue).include(host, workspace, people)) return true;
      const subjects = await this.host.people.named(host, people);
      return this.hasRows(host, taken, { subjects, workspaces: [workspace] });
    });
  }

  private taken(collection: string | null): Collection[] {
    return Object.values(this.purged.current().map.collections).filter(
      ({ name, builtIn, erasure, workspace }) =>
        !builtIn &&
        erasure.rule !== 'keep' &&
        workspace.length > 0 &&
        (collection ?? toldName(name)) === toldName(name),
    );
  }

  private async hasRows(
    host: SqlRunner,
    collections: readonly Collection[],
    selection: Selection,
  ): Promise<boolean> {
    const { map, catalogue } = this.purged.current();
    const settings = settingsStatement(selection);
    await host.query(settings.sql, settings.values);
    let found = false;
    for (const collection of collections) {
      if (found || !reaches(collection, selection)) continue;
      const rows = `select from ${qualified(collection.table)} as t where ${rowsSelected(map, catalogue, collection, selection)}`;
      const [answer] = await host.query<{ found: boolean }>(`select exists (${rows}) as found`);
      found = answer?.found ?? false;
    }
    await host.query(unset);
    return found;
  }

  /** Its host key; without it nothing of it can be found, nor taken. */
  private async workspaceOf(tx: UnitOfWork): Promise<string | undefined> {
    const hostKey = (await this.directory.find(tx))?.hostKey;
    return hostKey === '' ? undefined : hostKey;
  }
}
