import { Child } from './child.js';
import { type Effort } from './measure.js';
import { type PurgeJob } from './purge-child.js';
import { withClient } from './purge-rows.js';

// Everything that the first one has, under another workspace's name.
const another = `
  with directory as (
    insert into habeas.workspaces (id, host_key) select id, id::text from
      (select gen_random_uuid() as id from generate_series(1, $1::int)) as drawn returning id
  )
  insert into habeas.requests
  select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'tenant_id', d.id))).*
  from habeas.requests r, directory d where r.tenant_id = $2 and r.kind = 'deletion' and r.scope = 'workspace'`;

/** Milliseconds that the sweep needs to find so many workspaces due and to queue each; none is purged here. */
export async function sweepTimes(job: PurgeJob, counts: readonly number[]): Promise<Map<number, number>> {
  const child = new Child('purge-child');
  const times = new Map<number, number>();
  try {
    await child.ask({ open: job });
    await child.ask({ due: true }); // with warm caches and everything compiled
    let there = 1;
    for (const count of counts) {
      await withClient(job.ownerUrl, async (owner) => {
        // They belong to workspaces that the host does not have: nobody looks.
        await owner.query(`set session_replication_role = 'replica'`);
        await owner.query(another, [count - there, job.workspace]);
        await owner.query('truncate habeas_jobs.job');
        await owner.query('vacuum (analyze) habeas.requests');
      });
      there = count;
      const { seconds } = await child.ask<Effort>({ due: true });
      const { rows } = await withClient(job.ownerUrl, (owner) =>
        owner.query<{ n: number }>(
          `select count(*)::int as n from habeas_jobs.job where name = 'workspace-purge'`,
        ),
      );
      if (rows[0]?.n !== count) throw new Error(`the sweep queued ${rows[0]?.n ?? 0} of ${count} workspaces`);
      times.set(count, Math.round(seconds * 1000));
    }
    return times;
  } finally {
    await child.end();
  }
}
