import pg from 'pg';
import { demoPeople, workspaceIds } from '../demo/people.js';

/** The purged workspace, and the neighbour whose work goes on. */
export const doomed = workspaceIds.acme;
export const neighbour = workspaceIds.borealis;
export const [authorOfDoomed, authorOfNeighbour] = [demoPeople.owner.userId, demoPeople.neighbour.userId];

/** As demo/teams.ts has it. */
export const nameOfDoomed = 'Acme';

/**
 * Puts the neighbour's messages between those of the doomed workspace, four of these to one of those, as they lie in
 * a table that both have written to for years: every page of it has rows of both.
 */
export async function mix(ownerUrl: string): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    const { rows } = await client.query<{ author: string; first: string }>(
      `select author_id as author, min(id)::text as first from atelier.messages m
       where author_id = any ($1::uuid[]) and sent_at = timestamptz '2025-01-01 00:00Z' group by 1`,
      [[authorOfDoomed, authorOfNeighbour]],
    );
    const first = (author: string) => rows.find((row) => row.author === author)?.first ?? '0';
    await client.query(
      `create index in_time on atelier.messages ((case when author_id = '${authorOfNeighbour}'
         then (id - ${first(authorOfNeighbour)}) * 4 else id - ${first(authorOfDoomed)} end))`,
    );
    await client.query('cluster atelier.messages using in_time');
    await client.query('drop index atelier.in_time');
    // As if somebody of it had been here before.
    await client.query(
      'insert into habeas.workspaces (id, host_key) values ($1, $1::uuid::text) on conflict do nothing',
      [doomed],
    );
    await client.query('vacuum (freeze, analyze)');
  });
}

/** Seconds of one plain DELETE of the workspace's messages, and of the files' rows that its foreign key wants gone first. */
export async function plainDelete(ownerUrl: string): Promise<{ seconds: number; rows: number }> {
  return withClient(ownerUrl, async (client) => {
    const begun = performance.now();
    await client.query('begin');
    const files = await client.query(
      'delete from atelier.attachments a using atelier.messages m where m.id = a.message_id and m.workspace_id = $1',
      [doomed],
    );
    const messages = await client.query('delete from atelier.messages where workspace_id = $1', [doomed]);
    await client.query('commit');
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, rows: (files.rowCount ?? 0) + (messages.rowCount ?? 0) };
  });
}

/** A copy of the whole database, page for page, with the caches warm and a checkpoint just over. */
export async function copyDatabase(url: string, name: string): Promise<string> {
  await withClient(at(url, 'template1'), async (client) => {
    await client.query(`drop database if exists ${name}`);
    await client.query(
      `create database ${name} template ${new URL(url).pathname.slice(1)} strategy file_copy`,
    );
  });
  const copy = at(url, name);
  await withClient(copy, async (client) => {
    await client.query('select count(*), sum(octet_length(body_sealed)) from atelier.messages');
    await client.query('checkpoint');
  });
  return copy;
}

export const dropDatabase = (url: string, name: string): Promise<unknown> =>
  withClient(at(url, 'template1'), (client) => client.query(`drop database if exists ${name} with (force)`));

/** The same login at another database of the server. */
export function at(url: string, database: string): string {
  const there = new URL(url);
  there.pathname = `/${database}`;
  return there.href;
}

/** Messages of the two workspaces, to see that one's are gone and the other's are not; all rows that the probe does not write. */
export const rowsLeft = (ownerUrl: string): Promise<{ ours: number; theirs: number; all: number }> =>
  withClient(ownerUrl, async (client) => {
    const { rows } = await client.query<{ ours: number; theirs: number; all: number }>(
      `select ours, theirs, ours + theirs + (select sum((xpath('/row/n/text()',
                query_to_xml(format('select count(*) as n from atelier.%I', relname), false, true, '')))[1]::text::int)
              from pg_class where relnamespace = 'atelier'::regnamespace and relkind = 'r' and relname <> 'messages')::int as all
       from (select count(*) filter (where workspace_id = $1)::int as ours,
                    count(*) filter (where workspace_id = $2 and sent_at < now() - interval '1 day')::int as theirs
             from atelier.messages) as counted`,
      [doomed, neighbour],
    );
    return rows[0] as { ours: number; theirs: number; all: number };
  });

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
