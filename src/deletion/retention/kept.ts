import { HOST_TENANT, type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { type Subject } from '../../datamap/settings.js';
import { type OpenAccess } from '../open-access.js';
import { type Kept } from './guard.js';

interface HoldRow {
  kind: string | null;
  key: string | null;
  collection: string | null;
}

// FOR SHARE: a release waits for the batch that has looked.
const holds = `
  select subject_kind as kind, subject_key as key, collection from habeas.holds
  where tenant_id = $1 and released_at is null for share`;

/** Asks who and what is kept; one for each run, since it remembers people's identifiers. */
export class RetentionKept {
  private readonly known = new Map<string, Subject>();

  constructor(
    private readonly host: HostMap,
    private readonly access: OpenAccess,
  ) {}

  /** Since when the oldest open matter runs, whose events stay. */
  openSince(tx: UnitOfWork): Promise<Date | null> {
    return this.access.openSince(tx);
  }

  /** In the tenant of `tx`, at this moment; 'everything' where a hold or an open package is about the whole of it. */
  async of(tx: UnitOfWork): Promise<Kept | 'everything'> {
    const inForce = await tx.query<HoldRow>(holds, [tx.tenant]);
    // What the host has to keep may lie in any workspace.
    if (tx.tenant !== HOST_TENANT)
      inForce.push(...(await tx.inTenant(HOST_TENANT, () => tx.query<HoldRow>(holds, [HOST_TENANT]))));
    if (inForce.some(({ kind, collection }) => kind === null && collection === null)) return 'everything';
    if (await this.access.ofWorkspace(tx)) return 'everything';
    const held = inForce.flatMap(({ kind, key }) => (kind !== null && key !== null ? { kind, key } : []));
    const people = await this.people(tx, [...held, ...(await this.access.subjects(tx))]);
    const collections = inForce.flatMap(({ kind, collection }) =>
      kind === null && collection !== null ? collection : [],
    );
    return { people, collections: new Set(collections) };
  }

  /** With their identifiers, as long as the host knows them. */
  private async people(tx: UnitOfWork, refs: readonly SubjectRef[]): Promise<Subject[]> {
    const found = new Map<string, Subject>();
    for (const { kind, key } of refs) {
      const id = JSON.stringify([kind, key]);
      const subject = this.known.get(id) ??
        (await tx.asHost((db) => this.host.people.byKey(db, kind, key))) ?? { kind, key, identifiers: {} };
      this.known.set(id, subject);
      found.set(id, subject);
    }
    return [...found.values()];
  }
}
