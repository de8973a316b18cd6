/** Files whose rows are gone: taken out of their store by exact name, and believed gone only when the store says so. */
import { type Database } from '../../database/database.js';
import { type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { columnIn } from '../../datamap/catalogue.js';
import { bucketSql, pathSql, spellingsOf } from '../../datamap/file-names.js';
import { qualified, quoted } from '../../datamap/names.js';
import { isText } from '../../datamap/types.js';
import { DomainError } from '../../errors.js';
import { type ObjectStores } from '../../storage/object-store.js';
import { asClientsWrite, FileRemoval, isAddress } from './removal.js';

const PAGE = 200;
const NIL = '00000000-0000-0000-0000-000000000000';

interface NotedFile {
  id: string;
  ordinal: number;
  bucket: string;
  path: string;
}

const note = `
  insert into habeas.erasure_files (tenant_id, erasure_id, ordinal, bucket, path)
  select $1, $2, $3, f.file ->> 0, f.file ->> 1 from jsonb_array_elements($4::jsonb) as f(file)
  on conflict do nothing`;

const nextPage = `
  select id, ordinal, bucket, path from habeas.erasure_files
  where erasure_id = $1 and id > $2 order by id limit ${PAGE}`;

const forget = `
  with gone as (delete from habeas.erasure_files where id = any ($2::uuid[]) returning ordinal)
  update habeas.erasure_steps s set files_removed = files_removed + g.n
  from (select ordinal, count(*) as n from gone where ordinal = any ($3::int[]) group by ordinal) as g
  where s.erasure_id = $1 and s.ordinal = g.ordinal`;

export class ErasureFiles {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly stores: ObjectStores,
  ) {}

  /** Notes files in the transaction that takes their rows, as the habeas role. */
  async note(
    tx: UnitOfWork,
    erasureId: string,
    ordinal: number,
    files: readonly [string, string][],
  ): Promise<void> {
    if (files.length > 0) await tx.query(note, [tx.tenant, erasureId, ordinal, JSON.stringify(files)]);
  }

  /**
   * Removes every noted file, page by page. One that fails stays noted and stops none of the others. One of a name that no
   * bucket can hold is let go of, uncounted, unless an object lies where a client of the storage would have put it: it is not
   * there, and would be asked for without end.
   * @throws DomainError `erasure.files_left`, to be tried again
   */
  async remove(tenancy: Tenancy, erasureId: string): Promise<void> {
    const removal = new FileRemoval(this.stores);
    const left = { files: 0, addresses: 0, slashes: 0 };
    for (let after = NIL; ;) {
      const page = await this.database.within(tenancy, (tx) =>
        tx.query<NotedFile>(nextPage, [erasureId, after]),
      );
      const last = page.at(-1);
      if (!last) break;
      after = last.id;
      const failed = await this.removePage(tenancy, erasureId, page, removal);
      left.files += failed.length;
      for (const { path } of failed)
        if (isAddress(path)) left.addresses += 1;
        else if (asClientsWrite(path) !== path) left.slashes += 1;
    }
    if (left.files > 0) throw filesLeft(left);
  }

  /** @returns those that are still to be removed */
  private async removePage(
    tenancy: Tenancy,
    erasureId: string,
    page: NotedFile[],
    removal: FileRemoval,
  ): Promise<NotedFile[]> {
    // A file that somebody else's row names as well is not this person's alone: it stays.
    const named = await this.database.within(tenancy, (tx) => this.stillNamed(tx, page), {
      statementTimeout: 0,
    });
    const isNamed = (file: NotedFile) => named.has(nameOf(file));
    const isNamedByClients = ({ bucket, path }: NotedFile) =>
      named.has(nameOf({ bucket, path: asClientsWrite(path) }));
    const uncounted = page.filter(isNamed);
    const doomed = page.filter((file) => !isNamed(file));
    const gone: NotedFile[] = [];
    for (const [bucket, files] of byBucket(doomed)) {
      const removed = await removal.from(bucket, files, isNamedByClients);
      gone.push(...removed.gone);
      uncounted.push(...removed.nowhere);
    }
    const done = new Set([...gone, ...uncounted].map(({ id }) => id));
    const failed = page.filter(({ id }) => !done.has(id));
    await this.database.within(tenancy, async (tx) => {
      const letGo = async (files: NotedFile[], counted: boolean) => {
        const ordinals = counted ? [...new Set(files.map(({ ordinal }) => ordinal))] : [];
        if (files.length > 0) await tx.query(forget, [erasureId, files.map(({ id }) => id), ordinals]);
      };
      await letGo(gone, true);
      await letGo(uncounted, false);
      await tx.query(`update habeas.erasure_files set failure = 'storage' where id = any ($1::uuid[])`, [
        failed.map(({ id }) => id),
      ]);
    });
    return failed;
  }

  /** Which of these files a row of any collection still names: whosever it is, and whether or not the collection's `where` covers it. */
  private async stillNamed(tx: UnitOfWork, page: NotedFile[]): Promise<Set<string>> {
    const named = new Set<string>();
    const paths = page.flatMap(({ path }) => [...spellingsOf(path), ...spellingsOf(asClientsWrite(path))]);
    const { map, catalogue } = this.host.current();
    await tx.asHost(async (db) => {
      for (const { files, table, builtIn } of Object.values(map.collections)) {
        if (!files || builtIn) continue;
        const path = `t.${quoted(files.path)}`;
        // Its own type serves its index; what is no text would raise at a name of another shape.
        const compared = isText(columnIn(catalogue, table, files.path)?.base ?? '') ? path : `${path}::text`;
        const rows = await db.query<{ bucket: string; path: string }>(
          `select distinct ${bucketSql(files)} as bucket, ${pathSql(files)} as path from ${qualified(table)} as t where ${compared} = any ($1)`,
          [paths],
        );
        for (const row of rows) named.add(nameOf(row));
      }
    });
    return named;
  }
}

interface LeftFiles {
  files: number;
  addresses: number;
  slashes: number;
}

function filesLeft({ files, addresses, slashes }: LeftFiles): DomainError {
  const onTheWeb =
    addresses > 0
      ? ` ${addresses} of them are addresses, not paths in a bucket: remove those by hand, and map a column that holds paths.`
      : '';
  const otherwise =
    slashes > 0
      ? ` ${slashes} are written with slashes that their object may not have: where one lies under the name without them, remove it by hand.`
      : '';
  return new DomainError(
    'erasure.files_left',
    `${files} files could not be removed from the object storage yet. Their rows are gone, their names are kept until they are.${onTheWeb}${otherwise}`,
    { extra: { left: files } },
  );
}

const nameOf = ({ bucket, path }: { bucket: string; path: string }): string => JSON.stringify([bucket, path]);

function byBucket(files: NotedFile[]): Map<string, NotedFile[]> {
  const buckets = new Map<string, NotedFile[]>();
  for (const file of files) buckets.set(file.bucket, [...(buckets.get(file.bucket) ?? []), file]);
  return buckets;
}
