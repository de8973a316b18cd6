import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { Directory } from '../database/directory.js';
import { type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { notFound } from '../errors.js';
import { defaultRegion, type Region, type RegionId, regionOf } from './regions.js';

/** Where a workspace's data belongs, and how far that is true of the disks. */
export interface Placement {
  region: Region;
  /** false: nobody chose, so the region says nothing about which law applies. */
  chosen: boolean;
  chosenAt: Date | null;
  placement: 'logical';
  explanation: string;
}

const explanation =
  'The choice is logical today: it is recorded, shown to people, written into packages and decides which law is ' +
  'assumed, but it moves no data. The data is where the database and the bucket of this installation are.';

/** The region a workspace chose. */
@Injectable()
export class Residency {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  of(tenancy: Tenancy): Promise<Placement> {
    return this.database.within(tenancy, (tx) => this.read(tx));
  }

  /** The same within a caller's transaction, in the tenant that it is in. */
  async read(tx: UnitOfWork): Promise<Placement> {
    const entry = await this.directory.find(tx);
    const chosenAt = entry?.regionChosenAt ?? null;
    const region = regionOf(entry?.region ?? '') ?? defaultRegion;
    return { region, chosen: chosenAt !== null, chosenAt, placement: 'logical', explanation };
  }

  /**
   * Chooses. Choosing the default counts as a choice too; the same choice again changes nothing.
   * @throws DomainError `workspace.not_found` for the host's own tenant, which has no directory row
   */
  choose(tenancy: Tenancy, region: RegionId): Promise<Placement> {
    return this.database.within(tenancy, async (tx) => {
      const before = await this.read(tx);
      if (before.chosen && before.region.id === region) return before;
      if (!(await this.directory.chooseRegion(tx, region, this.clock.now()))) throw notFound('workspace');
      await this.audit.record(tx, 'residency.changed', {
        targets: [{ type: 'workspace', id: tx.tenant }],
        metadata: { from: before.chosen ? before.region.id : null, to: region },
      });
      return this.read(tx);
    });
  }
}
