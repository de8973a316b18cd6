import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { compositeKey } from '../../datamap/keys.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified } from '../../datamap/names.js';
import { keyOf } from '../../datamap/walk.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { tableOf } from '../../datamap/render.js';
import { type Holds } from '../holds/holds.js';

/** Where tombstones lie: of one collection, in one workspace or of the account. */
export interface Graves {
  collection: Collection;
  /** Host key. */
  workspace: string | null;
}

/**
 * Which emptied rows a hold keeps where they are. Little of them is left, a key and a date, but a hold is there so that
 * nothing is deleted while a court has not looked. Whom a row was about is forgotten by then: one on a person keeps the
 * row that is theirs by its own key, and no other can be told to be.
 */
export class TombstoneHolds {
  constructor(
    private readonly host: HostMap,
    private readonly holds: Pick<Holds, 'against'>,
  ) {}

  /** Of these keys those whose rows stay; in the tenant that ran the erasure. */
  async keeps(tx: UnitOfWork, graves: Graves, keys: readonly unknown[]): Promise<unknown[]> {
    const { collection, workspace } = graves;
    const people = keys.flatMap((key) => this.personOf(collection, key).map((person) => ({ key, person })));
    const subjects = people.map(({ person }) => person);
    const found = [];
    for (const tenant of new Set([
      HOST_TENANT,
      tx.tenant,
      ...(workspace === null ? [] : [workspaceId(workspace)]),
    ]))
      found.push(...(await tx.inTenant(tenant, () => this.holds.against(tx, subjects))));
    const inForce = found.filter((hold) => hold.collection === null || hold.collection === collection.name);
    if (inForce.some(({ subject }) => subject === null)) return [...keys];
    return people
      .filter(({ person }) => inForce.some(({ subject }) => isSame(subject, person)))
      .map(({ key }) => key);
  }

  /** Whose own row this is. */
  private personOf(collection: Collection, key: unknown): SubjectRef[] {
    if (!Array.isArray(key)) return [];
    const { map, catalogue } = this.host.current();
    const columns = keyOf(collection, tableOf(catalogue, collection));
    return kindsIn(map, collection, columns).map((kind) => ({
      kind,
      key: key.length === 1 ? String(key[0]) : compositeKey(key.map(String)),
    }));
  }
}

const kindsIn = ({ subjects }: DataMap, { table }: Collection, columns: readonly string[]): string[] =>
  Object.values(subjects)
    .filter((kind) => kind.table && qualified(kind.table) === qualified(table))
    .filter(({ key }) => key.length === columns.length && key.every((column, n) => column === columns[n]))
    .map(({ name }) => name);

const isSame = (one: SubjectRef | null, other: SubjectRef): boolean =>
  one?.kind === other.kind && one.key === other.key;
