/** The data map held against the live database: what `datamap check` and every start do. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, readCatalogue } from './catalogue.js';
import { checkAccess } from './check-access.js';
import { checkChanges } from './check-changes.js';
import { checkCoverage } from './check-coverage.js';
import { endlessParents } from './check-endless.js';
import { checkErasure } from './check-erasure.js';
import { hangingOnPeople, hangingOnWorkspaces } from './check-hanging.js';
import { slowKeys } from './check-key-indexes.js';
import { mappedTwice } from './check-mapped-twice.js';
import { checkNames } from './check-names.js';
import { checkPurge, ofPurgesAlone } from './check-purge.js';
import { checkQueries } from './check-queries.js';
import { checkRetention } from './check-retention.js';
import { PatientRows, type RowQuestions } from './check-rows.js';
import { rowsOfSeveral } from './check-several.js';
import { snapshotOf, type Snapshot } from './drift.js';
import { type Finding } from './findings.js';
import { type DataMap } from './map.js';
import { hashOf } from './resolve.js';

export interface CheckResult {
  /** Building and erasing wait while there are any. */
  errors: Finding[];
  warnings: Finding[];
  /** Of the map. */
  hash: string;
  /** sha256 (hex) of `snapshot`. */
  catalogueFingerprint: string;
  /** What drift is measured against. */
  snapshot: Snapshot;
  /** What the queries are built with. */
  catalogue: Catalogue;
}

/**
 * Checks the map against the database behind `db`, which must be in a transaction (as habeas_host with
 * row_security off where it is to tell what the service itself would meet). Reads the catalogue, and rows only to
 * learn whether one would be refused once it is erased; changes nothing.
 * @param rows whom to ask about rows; `unasked` where only the catalogue counts
 */
export async function checkDataMap(
  db: SqlRunner,
  map: DataMap,
  rows: RowQuestions = new PatientRows(db),
): Promise<CheckResult> {
  const catalogue = await readCatalogue(db);
  const names = checkNames(map, catalogue);
  const coverage = checkCoverage(map, catalogue);
  const access = checkAccess(map, catalogue);
  // Queries over what does not exist or may not be read would only repeat what was found already.
  const sound = names.length === 0 && access.length === 0;
  const nothing = { errors: [], warnings: [] };
  const queries = sound ? await checkQueries(db, map, catalogue) : nothing;
  const changes = sound ? await checkChanges(db, map, catalogue, rows) : nothing;
  const hanging = sound ? await hangingOnPeople(map, catalogue, rows) : nothing;
  const purges = sound ? await hangingOnWorkspaces(map, catalogue, rows) : [];
  const twice = sound ? await mappedTwice(db, map, catalogue) : [];
  const several = sound ? await rowsOfSeveral(map, catalogue, rows) : [];
  const erasures = checkErasure(map, catalogue);
  const purge = checkPurge(map, catalogue, without(ofPurgesAlone(map, catalogue, erasures), erasures));
  const erasure = without(purge, erasures);
  const snapshot = snapshotOf(map, catalogue);
  return {
    errors: distinct([
      ...serverFindings(catalogue),
      ...names,
      ...coverage.errors,
      ...access,
      ...twice,
      ...erasure,
      ...purge,
      // What the catalogue tells in plainer words, Postgres need not say again.
      ...without(erasures, [...changes.errors, ...hanging.errors]),
      ...checkRetention(map, catalogue),
      ...queries.errors,
    ]),
    warnings: distinct([
      ...coverage.warnings,
      ...queries.warnings,
      ...changes.warnings,
      ...hanging.warnings.filter(({ where }) => !erasures.some((f) => f.where === where)),
      ...without([...erasures, ...hanging.errors], purges),
      ...several,
      ...endlessParents(map, catalogue),
      ...slowKeys(map, catalogue),
    ]),
    hash: map.hash,
    catalogueFingerprint: hashOf(snapshot),
    snapshot,
    catalogue,
  };
}

const without = (known: readonly Finding[], found: readonly Finding[]): Finding[] =>
  found.filter((f) => !known.some(({ code, where }) => code === f.code && where === f.where));

const serverFindings = ({ utf8 }: Catalogue): Finding[] =>
  utf8
    ? []
    : [
        {
          code: 'server.encoding',
          where: 'database',
          message:
            'The database is not encoded in UTF8, so names and mails cannot be compared as Unicode. Convert it.',
        },
      ];

const distinct = (findings: Finding[]): Finding[] => [
  ...new Map(findings.map((f) => [JSON.stringify([f.code, f.where, f.message]), f])).values(),
];
