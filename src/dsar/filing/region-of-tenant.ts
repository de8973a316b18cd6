import { Injectable } from '@nestjs/common';
import { Directory } from '../../database/directory.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { regionOf } from '../../residency/regions.js';

/** The region a tenant is tagged with, by name; null for the host itself, which has none. */
@Injectable()
export class RegionOfTenant {
  constructor(private readonly directory: Directory) {}

  async of(tx: UnitOfWork): Promise<{ id: string; name: string } | null> {
    const entry = await this.directory.find(tx);
    const region = entry && regionOf(entry.region);
    return region ? { id: region.id, name: region.name } : null;
  }
}
