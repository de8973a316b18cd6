import { Injectable } from '@nestjs/common';
import { type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type PersonalHolding } from '../../deletion/own-data.js';
import { Packages } from '../../export/packages.js';
import { ForgettingSweep } from '../forgetting.sweep.js';

const closedOf = `
  select distinct r.id from habeas.requests r
  join habeas.request_subjects s on s.request_id = r.id
  join unnest($1::text[], $2::text[]) as person(kind, key) on s.kind = person.kind and s.key = person.key
  where r.closed_at is not null`;

/**
 * Earlier requests of an erased person: their packages end at once, what they know of the person goes. One that is
 * still open answers for itself and is forgotten in its own time.
 */
@Injectable()
export class EarlierMatters implements PersonalHolding {
  constructor(
    private readonly packages: Packages,
    private readonly forgetting: ForgettingSweep,
  ) {}

  async matters(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(closedOf, [
      people.map(({ kind }) => kind),
      people.map(({ key }) => key),
    ]);
    return rows.map(({ id }) => id);
  }

  async forget(tx: UnitOfWork, matters: readonly string[]): Promise<void> {
    for (const matter of matters) {
      await this.packages.expire(tx, matter);
      await this.forgetting.forget(tx, matter);
    }
  }
}
