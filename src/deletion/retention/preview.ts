import { type Clock } from '../../clock.js';
import { type Database } from '../../database/database.js';
import { type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { settingsStatement } from '../../datamap/settings.js';
import { type Sweepable, sweepables } from '../../datamap/sweepable.js';
import { DomainError, notFound } from '../../errors.js';
import { type OpenAccess } from '../open-access.js';
import { type PreviewQuery } from './retention.schema.js';
import { selectionOf } from './batches.js';
import { RetentionKept } from './kept.js';
import { RetentionRules } from './rules.js';
import { type Gone, RetentionSql } from './sweep-sql.js';
import { sweepableIn } from './terms.js';
import { type Keep, overNow } from './time.js';

/** Milliseconds that all counting together may take: whoever asks holds a connection and waits. */
const PATIENCE = 20_000;

const hostKey = 'select host_key as "hostKey" from habeas.workspaces where id = $1';

interface Counted {
  collection: string;
  rows: number;
  files: number;
}

export interface PreviewOfCollection extends Counted {
  keep: Keep;
  before: string | null;
  hanging: Counted[];
}

/** What a sweep of this moment would take, counted by the statement that would take it. */
export class RetentionPreview {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly clock: Clock,
    private readonly access: OpenAccess,
  ) {}

  /** @throws DomainError as a change to it would */
  of(tenancy: Tenancy, { collection, keep }: PreviewQuery) {
    this.host.assertFits();
    return this.database.within(tenancy, async (tx) => {
      const rules = await RetentionRules.of(tx, this.clock.now());
      const wanted = collection === undefined ? this.all() : [this.one(collection, keep)];
      const collections: PreviewOfCollection[] = [];
      const until = performance.now() + PATIENCE;
      for (const rule of wanted) {
        const { keep: inForce, pending } = rules.of(rule);
        collections.push(await this.counted(tx, rule, keep ?? pending?.keep ?? inForce, until));
      }
      const counts = collections.flatMap((one) => [one, ...one.hanging]);
      const sum = (what: 'rows' | 'files') => counts.reduce((total, one) => total + one[what], 0);
      return { collections, rows: sum('rows'), files: sum('files') };
    });
  }

  private all(): Sweepable[] {
    return sweepables(this.host.map).filter((rule) => rule.collection.workspace.length > 0);
  }

  private one(name: string, keep: string | undefined): Sweepable {
    // What nobody may set can be looked at nevertheless.
    return (
      this.all().find((rule) => rule.collection.name === name && keep === undefined) ??
      sweepableIn(this.host.current(), name, keep ?? null)
    );
  }

  private async counted(
    tx: UnitOfWork,
    rule: Sweepable,
    keep: Keep,
    until: number,
  ): Promise<PreviewOfCollection> {
    const now = this.clock.now();
    const over = overNow(now, keep, rule);
    const nothing = { collection: rule.collection.name, keep, rows: 0, files: 0, hanging: [] };
    if (!over) return { ...nothing, before: null };
    const kept = await new RetentionKept(this.host, this.access).of(tx);
    if (kept === 'everything') return { ...nothing, before: over.at.toISOString() };
    const row = await tx.one<{ hostKey: string | null }>(hostKey, [tx.tenant]);
    if (!row || row.hostKey === null) throw notFound('workspace');
    const place = { rule, over, now, workspace: row.hostKey };
    const { map, catalogue } = this.host.current();
    const settings = settingsStatement(selectionOf(place, kept));
    await tx.query(settings.sql, settings.values);
    const count = new RetentionSql(map, catalogue, { ...place, kept }).count();
    const left = Math.max(1, Math.round(until - performance.now()));
    await tx.query(`select set_config('statement_timeout', $1, true)`, [String(left)]);
    const [own, ...below] = await tx
      .asHost((db) => db.query<Gone>(count.sql, count.values))
      .catch((error: unknown) => {
        throw (error as { code?: unknown }).code === '57014' ? tooMany(rule) : error;
      });
    await tx.query(`select set_config('statement_timeout', $1, true)`, [String(PATIENCE)]);
    const hanging = below.filter(({ rows }) => rows > 0);
    return { ...nothing, before: over.at.toISOString(), ...countOf(own), collection: rule.collection.name, hanging: hanging.map(countOf) }; // prettier-ignore
  }
}

const tooMany = ({ collection: { name }, after }: Sweepable): DomainError =>
  new DomainError(
    'retention.too_slow',
    `Counting what is over in ${name} takes too long. Ask for one collection, or index its workspace and ${after}.`,
  );

const countOf = (gone: Gone | undefined): Counted => ({
  collection: gone?.collection ?? '',
  rows: gone?.rows ?? 0,
  files: gone?.fileCount ?? 0,
});
