import { type Database } from '../../database/database.js';
import { Directory } from '../../database/directory.js';
import { type HostMap } from '../../datamap/host-map.js';
import { workspaceId } from '../../datamap/workspace-id.js';

/** Workspaces looked at with one statement: of a million it is 500 of them. */
const PAGE = 2000;

const known = 'select id from habeas.workspaces where id = any ($1::uuid[])';

/** Workspaces of the host that nobody has ever come to us from: what the map says of all of them is meant for them too. */
export class WorkspaceDiscovery {
  private readonly directory = new Directory();

  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
  ) {}

  /** Gives each its place in the directory. @throws what reading the host's table does where the map does not fit */
  async run(): Promise<void> {
    for (let after: string | undefined; ;) {
      const from = after;
      const keys = await this.database.asHost((db) => this.host.workspaces.keys(db, PAGE, from));
      const byId = new Map(keys.map((key) => [workspaceId(key), key]));
      const rows = await this.database.asSweep((tx) => tx.query<{ id: string }>(known, [[...byId.keys()]]));
      for (const { id } of rows) byId.delete(id);
      for (const [id, key] of byId)
        await this.database.asJob(id, 'retention', (tx) => this.directory.ensure(tx, key));
      after = keys.at(-1);
      if (keys.length < PAGE) return;
    }
  }
}
