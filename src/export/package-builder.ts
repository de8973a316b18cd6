import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Collection } from '../datamap/map.js';
import { type Sealing } from '../keys/sealing.js';
import { type ObjectStore, type ObjectStores } from '../storage/object-store.js';
import { FileList } from './file-list.js';
import { indexPage } from './index-page.js';
import {
  type LegalInformation,
  type LeftOutPart,
  type Manifest,
  PACKAGE_FORMAT,
  type WorkspaceTouched,
} from './manifest.js';
import { PackageFiles } from './package-files.js';
import { PackageRows, type RowsWanted } from './package-rows.js';
import { type PackageWriter, writePackage } from './package-writer.js';

/** What a package is to hold. Export knows people and workspaces, not requests. */
export interface PackageJob extends RowsWanted {
  /** Whose work it is, as manifest and paths name it. */
  id: string;
  packageId: string;
  leftOut: LeftOutPart[];
  workspaceId?: string;
  region: Manifest['region'];
  /** For the manifest: what an account reaches into. */
  touched?: WorkspaceTouched[];
  /** The law's words about the collections that the package really holds, worked out above. */
  legalInformation: (collections: readonly Collection[]) => LegalInformation[];
}

export interface BuiltPackage {
  bytes: number;
  manifest: Manifest;
  /** Rows of the host in all; none means that nothing about the subjects was found. */
  rows: number;
}

/** Builds packages: every row from one snapshot, streamed from Postgres into the ZIP into the bucket, files after it. */
export class PackageBuilder {
  private readonly rows: PackageRows;
  private readonly files: PackageFiles;

  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly store: ObjectStore,
    hostStores: ObjectStores,
    sealing: Sealing,
    private readonly clock: Clock,
  ) {
    this.rows = new PackageRows(host, sealing);
    this.files = new PackageFiles(hostStores);
  }

  /**
   * Builds and stores one package; on any failure nothing is listed in the bucket.
   * @throws DomainError `datamap.drift`, `export.rows_lost`, or the storage's own
   */
  async build(job: PackageJob, path: string, signal?: AbortSignal): Promise<BuiltPackage> {
    this.host.assertFits();
    const list = await FileList.create();
    try {
      const options = { at: this.clock.now(), ...(signal && { signal }) };
      const fill = (writer: PackageWriter) => this.fill(job, writer, list);
      const { bytes, result } = await writePackage(this.store, path, options, fill);
      return { bytes, ...result };
    } finally {
      await list.close();
    }
  }

  private async fill(
    job: PackageJob,
    writer: PackageWriter,
    list: FileList,
  ): Promise<Omit<BuiltPackage, 'bytes'>> {
    const generatedAt = this.clock.now().toISOString();
    const { fromHost, own } = await this.database.asJob(
      job.tenant,
      'export',
      (tx) => this.rows.write({ tx, writer, files: list }, job),
      { isolation: 'REPEATABLE READ', statementTimeout: 0 },
    );
    const { files, missingFiles } = await this.files.write(writer, list);
    const held = new Set(fromHost.filter(({ rows }) => rows > 0).map(({ collection }) => collection));
    const manifest: Manifest = {
      format: PACKAGE_FORMAT,
      id: job.packageId,
      requestId: job.id,
      scope: job.scope,
      ...(job.workspaceId !== undefined && { workspaceId: job.workspaceId }),
      region: job.region,
      ...(job.touched && { workspaces: job.touched }),
      generatedAt,
      dataMapHash: this.host.map.hash,
      subjects: job.subjects.map(({ kind, key }) => ({ kind, key })),
      legalInformation: job.legalInformation(
        Object.values(this.host.map.collections).filter(({ name }) => held.has(name)),
      ),
      leftOut: job.leftOut,
      sealedValues: fromHost.reduce((sum, file) => sum + file.sealedValues, 0),
      data: [...fromHost, ...own],
      files,
      missingFiles,
    };
    await writer.text('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
    await writer.text('index.html', indexPage({ manifest, samples: writer.samples }));
    return { manifest, rows: fromHost.reduce((sum, { rows }) => sum + rows, 0) };
  }
}
