import { type Catalogue } from '../datamap/catalogue.js';
import { HostMap } from '../datamap/host-map.js';
import { type DataMap } from '../datamap/map.js';
import { inPurges } from '../datamap/purge-map.js';

/** The data map in force, as the purge of a workspace walks it. */
export class WorkspaceMap extends HostMap {
  private made: { of: Catalogue; map: DataMap } | undefined;

  constructor(private readonly host: HostMap) {
    super(inPurges(host.map, host.current().catalogue), host.current().catalogue);
  }

  override current(): { map: DataMap; catalogue: Catalogue } {
    const { catalogue } = this.host.current();
    // Which rows may be shared follows from the host's keys, and those may change under way.
    if (this.made?.of !== catalogue) this.made = { of: catalogue, map: inPurges(this.host.map, catalogue) };
    return { map: this.made.map, catalogue };
  }

  override get problems(): readonly string[] {
    return this.host.problems;
  }

  override assertFits(): void {
    this.host.assertFits();
  }
}
