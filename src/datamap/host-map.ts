import { DomainError } from '../errors.js';
import { type Catalogue } from './catalogue.js';
import { type DataMap } from './map.js';
import { People } from './people.js';
import { HostWorkspaces } from './workspaces.js';

/**
 * The data map in force, and the catalogue it was last held against. What does not fit (drift, a missing grant)
 * never stops filing, the clock or the desk; building and erasing ask `assertFits` first.
 */
export class HostMap {
  private catalogue: Catalogue;
  private misfits: string[] = [];

  constructor(
    readonly map: DataMap,
    catalogue: Catalogue,
  ) {
    this.catalogue = catalogue;
  }

  current(): { map: DataMap; catalogue: Catalogue } {
    return { map: this.map, catalogue: this.catalogue };
  }

  get people(): People {
    return new People(this.map, this.catalogue);
  }

  get workspaces(): HostWorkspaces {
    return new HostWorkspaces(this.map, this.catalogue);
  }

  /** What does not fit, in sentences that name tables and columns; empty when all is well. */
  get problems(): readonly string[] {
    return this.misfits;
  }

  /** Called by whoever looked at the database anew. */
  heldAgainst(catalogue: Catalogue, problems: string[]): void {
    this.catalogue = catalogue;
    this.misfits = problems;
  }

  /** @throws DomainError `datamap.drift`, which says what changed */
  assertFits(): void {
    const [first, ...more] = this.misfits;
    if (first === undefined) return;
    const rest = more.length ? ` (and ${more.length} more: see npx habeas datamap check)` : '';
    throw new DomainError('datamap.drift', `The data map does not fit the database: ${first}${rest}`);
  }
}
