import { type Database } from '../../database/database.js';
import { HOST_TENANT, systemTenancy } from '../../database/tenancy.js';
import { type SqlRunner, type UnitOfWork } from '../../database/unit-of-work.js';
import { type Catalogue } from '../../datamap/catalogue.js';
import { type HostMap } from '../../datamap/host-map.js';
import { type DataMap } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { DomainError } from '../../errors.js';
import { OwnRows } from './own-rows.js';
import { type Pattern, patternsOf } from './patterns.js';
import { type ResidueReport, type Sought, Tally, type Unreadable, type Verdict } from './report.js';
import { type Finding, ResidueScan } from './scan.js';
import { ownSchema, type SearchedTable, tablesToSearch } from './tables.js';
import { ResidueVerdicts } from './verdict.js';

/** Who has an identifier, and whether it is no more than their key. Two people may have the same. */
interface Owner {
  person: Person;
  isKey: boolean;
  /** Their kind's own row stays, and this is what it is known by. */
  isPseudonym: boolean;
}

interface Person {
  sought: Sought;
  tally: Tally;
}

/**
 * Looks whether anything of people is left after their erasure, in every table of the database, Habeas's own
 * included: one pass over the tables, however many people are sought. Ciphertext (secret and sealed columns) and
 * bytes cannot be searched.
 */
export class ResidueSearch {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
  ) {}

  /**
   * One report for each, in their order. Identifiers live in memory only.
   * @throws DomainError `residue.unfinished` when a table could not be read to its end, which may be tried again
   */
  async search(sought: readonly Sought[]): Promise<ResidueReport[]> {
    const { map, catalogue } = this.host.current();
    const run = new Run(this.database, map, catalogue, sought);
    const { tables, unreadable } = await this.database.asHost((db) => tablesToSearch(db, map));
    let rows = 0;
    for (const table of tables) rows += await run.table(table);
    await run.ownRows();
    return run.reports(unreadable, rows);
  }
}

class Run {
  private readonly people: Person[];
  private readonly patterns: Pattern[] = [];
  private readonly owners: Owner[][] = [];
  private readonly verdicts: ResidueVerdicts;
  private readonly scan: ResidueScan;

  constructor(
    private readonly database: Database,
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    sought: readonly Sought[],
  ) {
    this.verdicts = new ResidueVerdicts(map, catalogue);
    this.people = sought.map((one) => ({ sought: one, tally: new Tally() }));
    const known = new Map<string, number>();
    for (const person of this.people)
      for (const pattern of patternsOf(map, person.sought.subjects)) {
        const id = `${pattern.kind}:${pattern.value}`;
        const index = known.get(id) ?? this.patterns.push(pattern) - 1;
        known.set(id, index);
        (this.owners[index] ??= []).push({
          person,
          isKey: pattern.isKey,
          isPseudonym: pattern.isKey && this.isPseudonym(person.sought, pattern.value),
        });
      }
    this.scan = new ResidueScan(this.patterns);
  }

  /** @returns rows read */
  table(table: SearchedTable): Promise<number> {
    const isOwn = table.schema === ownSchema;
    return this.reading(table, async (tx, db) =>
      this.scan.table(tx, table, (findings) =>
        isOwn ? this.judgeOwn(db, table, findings) : this.judge(db, table, findings),
      ),
    );
  }

  /** Names and short keys, in one transaction for each person. */
  async ownRows(): Promise<void> {
    const rows = new OwnRows(this.map, this.catalogue);
    for (const { sought, tally } of this.people)
      await this.database.asJob(
        HOST_TENANT,
        'residue',
        (tx) => tx.asHost((db) => rows.search(db, sought, tally)),
        { isolation: 'REPEATABLE READ', statementTimeout: 0 },
      );
  }

  reports(unreadable: Unreadable[], rowsSearched: number): ResidueReport[] {
    return this.people.map(({ sought: { id }, tally }) => ({
      id,
      residues: tally.of('residues'),
      mentions: tally.of('mentions'),
      kept: tally.of('kept'),
      unreadable,
      rowsSearched,
    }));
  }

  private isPseudonym({ subjects }: Sought, value: string): boolean {
    return subjects.some(({ kind, key }) => key.toLowerCase() === value && this.verdicts.isPseudonym(kind));
  }

  /** One snapshot for each table: places stay valid, and no snapshot outlives a table. */
  private async reading(
    table: SearchedTable,
    work: (tx: UnitOfWork, db: SqlRunner) => Promise<number>,
  ): Promise<number> {
    const tenancy = systemTenancy(HOST_TENANT, 'residue');
    try {
      return await this.database.within(
        tenancy,
        (tx) =>
          table.schema === ownSchema
            ? tx.asResidueSearch((db) => work(tx, db))
            : tx.asHost((db) => work(tx, db)),
        { isolation: 'REPEATABLE READ', statementTimeout: 0 },
      );
    } catch (error) {
      throw new DomainError(
        'residue.unfinished',
        `${table.root.schema}.${table.root.name} could not be searched to its end.`,
        { cause: error },
      );
    }
  }

  private async judge(db: SqlRunner, table: SearchedTable, findings: Finding[]): Promise<void> {
    const isMapped = this.verdicts.isMapped(table);
    for (const [person, theirs] of this.byPerson(findings, ({ isPseudonym }) => !(isPseudonym && isMapped))) {
      const verdicts = await this.verdicts.of(db, table, person.sought, theirs, this.patterns);
      this.count(person, table, theirs, verdicts);
    }
  }

  /** In Habeas's own tables nothing is a mention: what is about the case itself stays until it is closed. */
  private async judgeOwn(db: SqlRunner, table: SearchedTable, findings: Finding[]): Promise<void> {
    for (const [person, theirs] of this.byPerson(findings, ({ isPseudonym }) => !isPseudonym)) {
      const uuids = table.columns.filter(({ as }) => as === 'uuid').map(({ name }) => `t.${quoted(name)}`);
      const about = uuids.map((column) => `${column} = any ($2::uuid[])`).join(' or ') || 'false';
      const { cases = [], tenants } = person.sought;
      const hasTenant = table.columns.some(({ name, as }) => name === 'tenant_id' && as === 'uuid');
      const elsewhere = hasTenant && tenants ? 'not (t.tenant_id = any ($3::uuid[]))' : '$3::uuid[] is null';
      // What it keeps was left on purpose, and whoever releases it must find it; one that is over went with the person.
      const holds = table.name === 'holds' ? 't.released_at is null' : 'false';
      const rows = await db.query<{ place: string }>(
        `select t.ctid::text as place from only ${qualified(table)} as t
         where t.ctid = any ($1::tid[]) and (${about} or ${elsewhere} or ${holds})`,
        [[...new Set(theirs.map(({ place }) => place))], cases, tenants ?? []],
      );
      const kept = new Set(rows.map(({ place }) => place));
      const verdicts = theirs.map(({ place }): Verdict => (kept.has(place) ? 'kept' : 'residues'));
      this.count(person, table, theirs, verdicts);
    }
  }

  private byPerson(findings: readonly Finding[], counts: (owner: Owner) => boolean): Map<Person, Finding[]> {
    const found = new Map<Person, Finding[]>();
    for (const finding of findings)
      for (const owner of this.owners[finding.pattern] ?? []) {
        if (!counts(owner)) continue;
        const theirs = found.get(owner.person);
        if (theirs) theirs.push(finding);
        else found.set(owner.person, [finding]);
      }
    return found;
  }

  private count(person: Person, table: SearchedTable, findings: Finding[], verdicts: Verdict[]): void {
    const seen = new Set<string>();
    findings.forEach(({ place, column, pattern }, n) => {
      const kind = this.patterns[pattern]?.kind;
      const verdict = verdicts[n];
      const id = `${place} ${column} ${kind} ${verdict}`;
      // Two mails of one person in one value are one row.
      if (!kind || !verdict || seen.has(id)) return;
      seen.add(id);
      person.tally.add(verdict, { schema: table.root.schema, table: table.root.name, column, kind });
    });
  }
}
