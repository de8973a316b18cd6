/**
 * Rows that a person's erasure deletes although they are somebody else's as well. Whoever is erased first takes them along
 * as a whole, unless the map says that they are `shared`: a row of two people may be meant to go with either of them,
 * so that is a warning.
 */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { names } from './check-hanging-rows.js';
import { type Answer, type RowQuestions } from './check-rows.js';
import { WhosePeople } from './check-whose.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified } from './names.js';
import { mayLeadToSeveral } from './purge-map.js';

/** Collections whose rows lead to somebody beside the one who is erased: by the rows there are, or by what the map says. */
export async function rowsOfSeveral(
  map: DataMap,
  catalogue: Catalogue,
  rows: RowQuestions,
): Promise<Finding[]> {
  const whose = new WhosePeople(map, catalogue);
  const found: Finding[] = [];
  for (const collection of Object.values(map.collections)) {
    const table = tableIn(catalogue, collection.table);
    const { builtIn, shared, erasure } = collection;
    const own = directly(collection);
    if (!table || builtIn || shared || erasure.rule !== 'delete' || whose.ways(own).length === 0) continue;
    const over = collectionsOver(map, collection).map(directly);
    const ways = over.flatMap((one) => whose.ways(one));
    if (ways.length === 1 && !ways.some(({ path }) => mayLeadToSeveral(catalogue, path))) continue;
    const others = namedAsOthers(own, over);
    const answer = others.length > 0 ? 'no' : await rows.shown(several(whose, own, table, over));
    if (others.length > 0 || answer === 'yes' || typeof answer === 'object')
      found.push(takesBoth(collection, others, answer));
  }
  return found;
}

/** What leads to somebody by way of another row goes with that row, because its author said so; of that row this is asked too. */
const directly = (collection: Collection): Collection => ({
  ...collection,
  subject: Object.fromEntries(
    Object.entries(collection.subject).map(([kind, paths]) => [
      kind,
      paths.filter(({ join }) => join.length === 0),
    ]),
  ),
});

const collectionsOver = (map: DataMap, { table }: Collection): Collection[] =>
  Object.values(map.collections).filter((one) => !one.builtIn && qualified(one.table) === qualified(table));

/** Columns that are a path to a person of this collection, and another person's by the map's own word. */
function namedAsOthers({ subject }: Collection, over: readonly Collection[]): string[] {
  const paths = Object.values(subject).flat();
  const own = [...new Set(paths.flatMap(({ columns }) => columns))];
  const others = own.filter((column) => over.some(({ columns }) => columns[column]?.party === 'other'));
  // With a single way the other one is only named.
  return paths.length > 1 ? others : [];
}

/** Query: rows that go with somebody who is there, and that lead to a name that is not theirs. */
function several(
  whose: WhosePeople,
  collection: Collection,
  table: CatalogueTable,
  over: readonly Collection[],
): string {
  const kept = over.filter(({ erasure }) => erasure.rule === 'keep');
  const rows =
    `(select t.*, ${names(whose, over)} as habeas_all, ${names(whose, kept)} as habeas_kept from ${qualified(table)} as t ` +
    `where (${collection.where ?? 'true'})) as t`;
  return whose
    .ways(collection)
    .map((way) => {
      const { values, join } = whose.holders(way);
      return (
        `select from ${rows} cross join lateral (${values}) as v ${join} ` +
        'where not (t.habeas_kept && s.w) and not (t.habeas_all <@ s.w)'
      );
    })
    .join(' union all ');
}

function takesBoth({ name, table }: Collection, others: readonly string[], answer: Answer): Finding {
  const what =
    others.length > 0
      ? `It leads to people by more than one path, and ${others.join(', ')} is \`party: other\`. A row of two people`
      : answer === 'yes'
        ? 'There are rows that lead to more than one person. Such a row'
        : `Its rows may lead to more than one person (${typeof answer === 'object' ? answer.unanswered : ''}). Such a row`;
  return finding(
    'erasure.several_people',
    table,
    undefined,
    `${name}: ${what} is deleted with the first of them who is erased, the others’ part too. Where it shall stay until the ` +
      'last of them goes, write `shared: keep-if-others`. Where it is one person’s and only names the other, leave that path ' +
      'out of `subject` and classify its column `party: other`. Where each has a part of it, map the table once for each, ' +
      'with `clear` or `pseudonymise` of their own columns.',
  );
}
