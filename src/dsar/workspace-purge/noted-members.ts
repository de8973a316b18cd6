import { Injectable } from '@nestjs/common';
import { type SubjectRef } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type MemberKey, Members } from '../../datamap/members.js';
import { Sealing } from '../../keys/sealing.js';

const PAGE = 1000;

const noteAll = `
  insert into habeas.workspace_purge_people (tenant_id, kind, key)
  select $1, m ->> 0, m ->> 1 from jsonb_array_elements($2::jsonb) as m on conflict do nothing`;

const noted = `
  select 1 from habeas.workspace_purge_people p
  join unnest($2::text[], $3::text[], $4::text[]) as asked (kind, key, digest)
    on p.kind = asked.kind and p.key in (asked.key, asked.digest)
  where p.tenant_id = $1 limit 1`;

const forget = 'delete from habeas.workspace_purge_people where tenant_id = $1';

/**
 * Who belonged to a workspace when its purge began: half-way through, no row of the host says so any more. By key where
 * something becomes of them later; else by a digest, which only answers whether somebody was one of them, so that nothing
 * is found of a member who is erased meanwhile.
 */
@Injectable()
export class NotedMembers {
  constructor(
    private readonly host: HostMap,
    private readonly sealing: Sealing,
  ) {}

  /** Whether the map says that they are erased who are left without a workspace. */
  get areSettled(): boolean {
    return this.host.map.workspaces?.peopleLeft === 'erase';
  }

  /** Writes down who is there, in the tenant of `tx`, page by page. */
  async note(tx: UnitOfWork, hostKey: string): Promise<void> {
    const { map, catalogue } = this.host.current();
    const members = new Members(map, catalogue);
    for (let after: MemberKey | undefined; ;) {
      const page = await tx.asHost((host) => members.page(host, hostKey, after, PAGE));
      const notes = page.map((one) => [one.kind, this.areSettled ? one.key : this.digest(one)]);
      if (notes.length > 0) await tx.query(noteAll, [tx.tenant, JSON.stringify(notes)]);
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }

  /** Whether any of these people is noted in the tenant of `tx`. */
  async anyOf(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<boolean> {
    const found = await tx.one(noted, [
      tx.tenant,
      people.map(({ kind }) => kind),
      people.map(({ key }) => key),
      people.map((one) => this.digest(one)),
    ]);
    return found !== undefined;
  }

  /** In the tenant of `tx`. */
  async forget(tx: UnitOfWork): Promise<void> {
    await tx.query(forget, [tx.tenant]);
  }

  private digest({ kind, key }: SubjectRef): string {
    return this.sealing.digest('purge.member', JSON.stringify([kind, key])).toString('base64url');
  }
}
