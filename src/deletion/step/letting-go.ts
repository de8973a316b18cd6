/** A shared row that stays for others does so without the name of whoever is erased in it. */
import { namingColumns, type NamingColumn } from '../../datamap/letting-go.js';
import { qualified, quoted } from '../../datamap/names.js';
import { subjectPathCondition } from '../../datamap/paths.js';
import { rowsSelected } from '../../datamap/walk.js';
import { type Statement, statementOf } from './statement.js';
import { type StepRows } from './rows.js';

/** Columns of a shared row that are emptied. Who is erased with their account keeps pointing at their own row, which is nobody's any more. */
function emptiedColumns({ on, job, collection, selection }: StepRows): NamingColumn[] {
  const kinds = new Set(selection.subjects?.map(({ kind }) => kind));
  return namingColumns(on.map, on.catalogue, collection).filter(
    ({ kind, pseudonymised }) => kinds.has(kind) && !(pseudonymised && job.scope === 'account'),
  );
}

/** `left` answers `{rows}`, `batch` `{letGo}`. */
export interface LettingGo {
  left: Statement;
  batch: Statement;
}

/** Takes the people out of shared rows, at most so many at once; undefined where nothing has to be done. */
export function letGo(rows: StepRows, most: number): LettingGo | undefined {
  const { table, collection, selection } = rows;
  const { map, catalogue } = rows.on;
  const named = emptiedColumns(rows).map(({ kind, path, column }) => ({
    column: quoted(column),
    theirs: `(${subjectPathCondition(map, catalogue, table, kind, path)})`,
  }));
  if (named.length === 0 || !rows.isStored) return undefined;
  const { subjects: _, ...places } = selection;
  const there = rowsSelected(map, catalogue, collection, places);
  const whose = named.map(({ theirs }) => theirs).join(' or ');
  const set = named.map(
    ({ column, theirs }) => `${column} = case when ${theirs} then null else t.${column} end`,
  );
  const left = {
    sql: `select count(*)::text as rows from ${qualified(table)} as t where ${there} and (${whose})`,
    values: [],
  };
  const batch = statementOf(
    (values) =>
      `with batch as materialized (select t.tableoid as rel, t.ctid as place from ${qualified(table)} as t ` +
      `where ${there} and (${whose}) limit ${values.add(most)}::bigint for update of t), ` +
      `gone as (update ${qualified(table)} as t set ${set.join(', ')} from batch ` +
      `where t.ctid = any (array(select place from batch)) and batch.place = t.ctid and batch.rel = t.tableoid ` +
      // What a trigger has made of it counts.
      `returning (${whose}) is true as named) select count(*) filter (where not named)::int as "letGo" from gone`,
  );
  return { left, batch };
}
