import { type SubjectRef } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Collection, titleIn } from '../datamap/map.js';
import { type Selection, settingsStatement, type Subject } from '../datamap/settings.js';
import { collectionQuery, copyStatement, countQuery, filesQuery, reaches } from '../datamap/walk.js';
import { literal } from '../datamap/names.js';
import { DomainError } from '../errors.js';
import { type Sealing } from '../keys/sealing.js';
import { type FileList } from './file-list.js';
import { type DataFile } from './manifest.js';
import {
  auditLog,
  eventsOfPerson,
  eventsOfTenant,
  type OwnCollection,
  requestsMade,
  requestsOfPerson,
} from './own-rows.js';
import { type PackageWriter } from './package-writer.js';

/** Whose rows, and of which places. */
export interface RowsWanted {
  tenant: string;
  scope: 'account' | 'person' | 'workspace';
  /** Nobody for scope workspace. */
  subjects: SubjectRef[];
  /** Host keys of the workspaces whose parts are in. */
  workspaces: string[];
}

/** One query of the walk: a collection and which of its rows. */
interface Stop {
  collection: Collection;
  selection: Selection;
}

/** What the rows of one package need while they are read; all in one transaction, which is one snapshot. */
export interface RowsTarget {
  tx: UnitOfWork;
  writer: PackageWriter;
  files: FileList;
}

/** Reads every row of a package in one snapshot into its data files, and the names of files into the list. */
export class PackageRows {
  constructor(
    private readonly host: HostMap,
    private readonly sealing: Sealing,
  ) {}

  /** @returns the host's collections, and then Habeas's own. @throws DomainError `export.rows_lost` */
  async write(target: RowsTarget, wanted: RowsWanted): Promise<{ fromHost: DataFile[]; own: DataFile[] }> {
    const subjects = await this.subjectsNow(target.tx, wanted);
    const fromHost: DataFile[] = [];
    for (const stop of this.itinerary(wanted, subjects)) {
      fromHost.push(await target.tx.asHost(() => this.collection(target, stop)));
    }
    return { fromHost, own: await this.ownRows(target, wanted) };
  }

  /** The people as the host knows them now; one whom it has forgotten since is still looked for by key. */
  private async subjectsNow(tx: UnitOfWork, wanted: RowsWanted): Promise<Subject[]> {
    return tx.asHost(async (host) => {
      const found: Subject[] = [];
      for (const { kind, key } of wanted.subjects) {
        found.push((await this.host.people.byKey(host, kind, key)) ?? { kind, key, identifiers: {} });
      }
      return found;
    });
  }

  private itinerary(wanted: RowsWanted, subjects: Subject[]): Stop[] {
    const people =
      wanted.scope === 'workspace' ? {} : { subjects, maskKey: maskKeyOf(this.sealing, wanted.subjects) };
    return Object.values(this.host.map.collections)
      .filter(({ builtIn }) => !builtIn)
      .map((collection) => {
        // What a workspace decides about goes by workspace, and what leads to no workspace is left to the host.
        const byWorkspace =
          wanted.scope !== 'account' ||
          (collection.controller === 'workspace' && collection.workspace.length > 0);
        const places = byWorkspace
          ? { workspaces: wanted.workspaces, ...(wanted.scope === 'account' && { unplaced: true }) }
          : {};
        return { collection, selection: { ...people, ...places } };
      })
      .filter(({ collection, selection }) => reaches(collection, selection));
  }

  private async collection(target: RowsTarget, { collection, selection }: Stop): Promise<DataFile> {
    const { tx } = target;
    const { map, catalogue } = this.host.current();
    await settle(tx, selection);
    const { name, controller, purpose } = collection;
    const query = collectionQuery(map, catalogue, name, selection);
    const written = await copyInto(target, `data/${name}.json`, query.sql);
    let sealedValues = written.rows * query.sealedPerRow;
    if (query.sealedNullable.length > 0 && written.rows > 0) {
      const [count] = await tx.query<{ sealed: string }>(countQuery(map, catalogue, name, selection));
      sealedValues = Number(count?.sealed);
    }
    const files = filesQuery(map, catalogue, name, selection);
    if (files !== undefined) await target.files.take(await tx.copyOut(copyStatement(fileLines(name, files))));
    return {
      collection: name,
      title: titleIn(map, name, selection.subjects ? 'account' : 'workspace'),
      controller,
      purpose,
      sealedValues,
      ...(query.sealed.length > 0 && { sealedColumns: query.sealed }),
      ...written,
    };
  }

  /** Habeas's own tables are collections like others: of the person in all their tenants, or of the workspace. */
  private async ownRows(target: RowsTarget, wanted: RowsWanted): Promise<DataFile[]> {
    const { tx } = target;
    await settle(tx, {});
    if (wanted.scope === 'workspace') return [await this.own(target, auditLog, eventsOfTenant)];
    const tenant = wanted.scope === 'person' ? wanted.tenant : null;
    return tx.asSelf(wanted.subjects, async () => [
      await this.own(target, requestsMade, requestsOfPerson(tenant)),
      await this.own(target, auditLog, eventsOfPerson(tenant)),
    ]);
  }

  private async own(
    target: RowsTarget,
    { collection, title, purpose }: OwnCollection,
    sql: string,
  ): Promise<DataFile> {
    // A host may have a collection of that name; ours steps aside.
    const name = this.host.map.collections[collection] ? `habeas_${collection}` : collection;
    const written = await copyInto(target, `data/${name}.json`, sql);
    return { collection: name, title, controller: 'host', purpose, sealedValues: 0, ...written };
  }
}

/** Masks are stable for the same people and tell nobody anything about another package. */
const maskKeyOf = (sealing: Sealing, subjects: readonly SubjectRef[]): Buffer =>
  sealing.digest('mask', subjects.map(({ kind, key }) => `${kind}:${key}`).sort().join('\n')); // prettier-ignore

async function settle(tx: UnitOfWork, selection: Selection): Promise<void> {
  const { sql, values } = settingsStatement(selection);
  await tx.query(sql, values);
}

async function copyInto({ tx, writer }: RowsTarget, path: string, sql: string) {
  const copy = await tx.copyOut(copyStatement(sql));
  const { rows, bytes, sha256 } = await writer.rows(path, copy);
  if (rows !== copy.rowCount) {
    throw new DomainError(
      'export.rows_lost',
      `Postgres sent ${copy.rowCount} rows for ${path} and ${rows} were written.`,
    );
  }
  return { path, rows, bytes, sha256 };
}

const fileLines = (collection: string, files: string): string =>
  `select json_build_object('collection', ${literal(collection)}, 'bucket', bucket, 'path', path, 'name', name, ` +
  `'key', key::json)::text from (${files}) as f`;
