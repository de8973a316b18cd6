import { Injectable } from '@nestjs/common';
import { type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Packages } from '../../export/packages.js';
import { Requests } from '../requests.js';

const openOf = `
  select distinct r.id from habeas.requests r
  join habeas.request_subjects s on s.request_id = r.id
  join unnest($1::text[], $2::text[]) as person(kind, key) on s.kind = person.kind and s.key = person.key
  where r.tenant_id = $3 and r.kind = 'access' and r.closed_at is null
  order by r.id`;

/** Requests for a copy that are open while their person is erased. */
@Injectable()
export class OpenCopies {
  constructor(
    private readonly requests: Requests,
    private readonly packages: Packages,
  ) {}

  /**
   * Ends them in the tenant of `tx`: the person did without (they waived the lock, or let the law's date of the
   * deletion come), and what is still to be copied is theirs no more. Left open, they would draw a new pseudonym.
   */
  async end(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<void> {
    const values = [people.map(({ kind }) => kind), people.map(({ key }) => key), tx.tenant];
    for (const { id } of await tx.query<{ id: string }>(openOf, values)) {
      const request = await this.requests.lock(tx, id);
      if (request.closedAt !== null) continue;
      await this.requests.move(tx, request, 'withdrawn', {
        action: 'request.withdrawn',
        metadata: { because: 'erased' },
      });
      await this.packages.expire(tx, id);
    }
  }
}
