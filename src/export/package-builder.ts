import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { type Clock } from '../clock.js';
import { type SubjectRef, systemTenancy } from '../database/tenancy.js';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Collection } from '../datamap/map.js';
import { type Selection, settingsStatement, type Subject } from '../datamap/settings.js';
import { collectionQuery, copyStatement, countQuery, filesQuery, reaches } from '../datamap/walk.js';
import { DomainError } from '../errors.js';
import { type Sealing } from '../keys/sealing.js';
import { type ObjectStore, type ObjectStores } from '../storage/object-store.js';
import { eventsOfPerson, eventsOfTenant } from './audit-rows.js';
import { indexPage } from './index-page.js';
import {
  type AttachedFile,
  type DataFile,
  type LegalInformation,
  type LeftOutPart,
  type Manifest,
  type MissingFile,
  PACKAGE_FORMAT,
} from './manifest.js';
import { type PackageWriter, writePackage } from './package-writer.js';
import { safeFileName } from './safe-file-name.js';

/** What a package is to hold. Export knows people and workspaces, not requests. */
export interface PackageJob {
  /** Whose work it is, as manifest and paths name it. */
  id: string;
  packageId: string;
  tenant: string;
  scope: 'account' | 'person' | 'workspace';
  /** Nobody for scope workspace. */
  subjects: SubjectRef[];
  /** Host keys of the workspaces whose parts are in. */
  workspaces: string[];
  leftOut: LeftOutPart[];
  workspaceId?: string;
  region: Manifest['region'];
  /** The law's words about the collections that the package really holds, worked out above. */
  legalInformation: (collections: readonly Collection[]) => LegalInformation[];
}

export interface BuiltPackage {
  bytes: number;
  manifest: Manifest;
  /** Rows of the host in all; none means that nothing about the subjects was found. */
  rows: number;
}

/** One query of the walk: a collection and which of its rows. */
interface Stop {
  collection: Collection;
  selection: Selection;
}

/** Builds packages: every row from one snapshot, streamed from Postgres into the ZIP into the bucket, files after it. */
export class PackageBuilder {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly store: ObjectStore,
    private readonly hostStores: ObjectStores,
    private readonly sealing: Sealing,
    private readonly clock: Clock,
  ) {}

  /**
   * Builds and stores one package; on any failure nothing is listed in the bucket.
   * @throws DomainError `datamap.drift`, `export.rows_lost`, or the storage's own
   */
  async build(job: PackageJob, path: string, signal?: AbortSignal): Promise<BuiltPackage> {
    this.host.assertFits();
    const spool = await mkdtemp(join(tmpdir(), 'habeas-files-'));
    try {
      const written = await writePackage(
        this.store,
        path,
        { at: this.clock.now(), ...(signal && { signal }) },
        (writer) => this.fill(job, writer, join(spool, 'files.jsonl')),
      );
      return { bytes: written.bytes, ...written.result };
    } finally {
      await rm(spool, { recursive: true, force: true });
    }
  }

  private async fill(
    job: PackageJob,
    writer: PackageWriter,
    spool: string,
  ): Promise<Omit<BuiltPackage, 'bytes'>> {
    const generatedAt = this.clock.now().toISOString();
    const data = await this.database.within(
      systemTenancy(job.tenant, 'export'),
      (tx) => this.writeRows(tx, job, writer, spool),
      { isolation: 'REPEATABLE READ', statementTimeout: 0 },
    );
    const { files, missingFiles } = await this.writeFiles(writer, spool);
    const fromHost = data.filter(({ collection }) => collection !== auditLog.collection);
    const held = new Set(fromHost.filter(({ rows }) => rows > 0).map(({ collection }) => collection));
    const manifest: Manifest = {
      format: PACKAGE_FORMAT,
      id: job.packageId,
      requestId: job.id,
      scope: job.scope,
      ...(job.workspaceId !== undefined && { workspaceId: job.workspaceId }),
      region: job.region,
      generatedAt,
      dataMapHash: this.host.map.hash,
      subjects: job.subjects.map(({ kind, key }) => ({ kind, key })),
      legalInformation: job.legalInformation(
        Object.values(this.host.map.collections).filter(({ name }) => held.has(name)),
      ),
      leftOut: job.leftOut,
      sealedValues: data.reduce((sum, file) => sum + file.sealedValues, 0),
      data,
      files,
      missingFiles,
    };
    await writer.text('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
    await writer.text('index.html', indexPage({ manifest, samples: writer.samples }));
    return { manifest, rows: fromHost.reduce((sum, { rows }) => sum + rows, 0) };
  }

  private async writeRows(
    tx: UnitOfWork,
    job: PackageJob,
    writer: PackageWriter,
    spool: string,
  ): Promise<DataFile[]> {
    const subjects = await this.subjectsNow(tx, job);
    const written: DataFile[] = [];
    const names = createWriteStream(spool, { mode: 0o600 });
    try {
      for (const stop of this.itinerary(job, subjects)) {
        written.push(await tx.asHost(() => this.writeCollection(tx, stop, writer)));
        await tx.asHost(() => this.spoolFiles(tx, stop, names));
      }
    } finally {
      await new Promise<void>((resolve) => names.end(resolve));
    }
    return [...written, await this.writeEvents(tx, job, writer)];
  }

  /** The people as the host knows them now; one whom it has forgotten since is still looked for by key. */
  private async subjectsNow(tx: UnitOfWork, job: PackageJob): Promise<Subject[]> {
    return tx.asHost(async (host) => {
      const found: Subject[] = [];
      for (const { kind, key } of job.subjects) {
        found.push((await this.host.people.byKey(host, kind, key)) ?? { kind, key, identifiers: {} });
      }
      return found;
    });
  }

  private itinerary(job: PackageJob, subjects: Subject[]): Stop[] {
    const maskKey = this.sealing.digest(
      'mask',
      job.subjects
        .map(({ kind, key }) => `${kind}:${key}`)
        .sort()
        .join('\n'),
    );
    const people = job.scope === 'workspace' ? {} : { subjects, maskKey };
    return Object.values(this.host.map.collections)
      .filter(({ builtIn }) => !builtIn)
      .map((collection) => {
        // What a workspace decides about goes by workspace, and what leads to no workspace is left to the host.
        const byWorkspace =
          job.scope !== 'account' ||
          (collection.controller === 'workspace' && collection.workspace.length > 0);
        const places = byWorkspace
          ? { workspaces: job.workspaces, ...(job.scope === 'account' && { unplaced: true }) }
          : {};
        return { collection, selection: { ...people, ...places } };
      })
      .filter(({ collection, selection }) => reaches(collection, selection));
  }

  private async writeCollection(
    tx: UnitOfWork,
    { collection, selection }: Stop,
    writer: PackageWriter,
  ): Promise<DataFile> {
    const { map, catalogue } = this.host.current();
    const { sql, values } = settingsStatement(selection);
    await tx.query(sql, values);
    const { name, title, controller, purpose } = collection;
    const query = collectionQuery(map, catalogue, name, selection);
    const written = await this.writeCopy(tx, `data/${name}.json`, query.sql, writer);
    let sealedValues = written.rows * query.sealedPerRow;
    if (query.sealedNullable.length > 0 && written.rows > 0) {
      const [count] = await tx.query<{ sealed: string }>(countQuery(map, catalogue, name, selection));
      sealedValues = Number(count?.sealed);
    }
    return { collection: name, title, controller, purpose, sealedValues, ...written };
  }

  /** The log is one more collection: of the person in all their tenants, or of the workspace. */
  private async writeEvents(tx: UnitOfWork, job: PackageJob, writer: PackageWriter): Promise<DataFile> {
    const write = async (sql: string) => ({
      ...auditLog,
      ...(await this.writeCopy(tx, `data/${auditLog.collection}.json`, sql, writer)),
    });
    if (job.scope === 'workspace') return write(eventsOfTenant);
    const [subject] = job.subjects;
    if (!subject) return write(`select ''::text where false`);
    // Who signs in is one person; people of other kinds have made no events themselves.
    return tx.asSelf(subject, () => write(eventsOfPerson(job.scope === 'person' ? job.tenant : null)));
  }

  private async writeCopy(tx: UnitOfWork, path: string, sql: string, writer: PackageWriter) {
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

  /** The list of files may be long: it goes to disk, one JSON line each, and the files follow after the snapshot. */
  private async spoolFiles(
    tx: UnitOfWork,
    { collection, selection }: Stop,
    names: NodeJS.WritableStream,
  ): Promise<void> {
    const { map, catalogue } = this.host.current();
    const query = filesQuery(map, catalogue, collection.name, selection);
    if (query === undefined) return;
    const { sql, values } = settingsStatement(selection);
    await tx.query(sql, values);
    const line = `select json_build_object('collection', '${collection.name}', 'bucket', bucket, 'path', path, 'name', name, 'key', key::json)::text`;
    await pipeline(await tx.copyOut(copyStatement(`${line} from (${query}) as f`)), names, { end: false });
  }

  private async writeFiles(
    writer: PackageWriter,
    spool: string,
  ): Promise<{ files: AttachedFile[]; missingFiles: MissingFile[] }> {
    const files: AttachedFile[] = [];
    const missingFiles: MissingFile[] = [];
    for await (const line of createInterface({ input: createReadStream(spool) })) {
      const { collection, key, name, ...named } = JSON.parse(line) as Named;
      const source = await this.open(named.bucket, named.path);
      if (!source) {
        missingFiles.push({ collection, key, name });
        continue;
      }
      const position = String(files.length + 1).padStart(4, '0');
      const path = `files/${collection}/${position}-${safeFileName(name ?? named.path)}`;
      const { bytes, sha256 } = await writer.file(path, source);
      files.push({ collection, key, name, path, bytes, sha256 });
    }
    return { files, missingFiles };
  }

  /** A file that is gone is told of; a store that does not answer ends the attempt. */
  private async open(bucket: string | null, path: string) {
    if (bucket === null) return undefined;
    try {
      return await this.hostStores.bucket(bucket).get(path);
    } catch (error) {
      if (error instanceof DomainError && ['object.not_found', 'object.path_invalid'].includes(error.code))
        return undefined;
      throw error;
    }
  }
}

/** A file that a row names. */
interface Named {
  collection: string;
  key: unknown;
  bucket: string | null;
  path: string;
  name: string | null;
}

const auditLog = {
  collection: 'audit_events',
  title: 'Audit log',
  sealedValues: 0,
  controller: 'host',
  purpose: 'Shows who did what with the data, and when.',
} as const;
