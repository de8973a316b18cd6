/**
 * Rows of somebody else that hang on a row which erasure deletes. No erasure takes them along (invariants 11 and 12), and
 * Postgres does not let the row go without them: with the first of them every such erasure is refused at run time. Map and
 * keys say where that can never be; otherwise the rows that are there are asked.
 */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { isDeleted } from './changes.js';
import { type Hanging, HangingRows } from './check-hanging-rows.js';
import { type Answer, type RowQuestions } from './check-rows.js';
import { type Found } from './check-values.js';
import { WhosePeople, WhoseWorkspaces } from './check-whose.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, shown } from './names.js';
import { inPurges } from './purge-map.js';
import { isSeen, type Referrer, referrersOf, tableBehind } from './referrers.js';
import { setNullOf } from './set-null.js';
import { staysBehind } from './stays-behind.js';

/** A key that may be in the way, and what is asked to know whether it is. */
interface Suspect {
  referrer: Referrer;
  /** Query of the rows that are in the way; absent where nobody can look at them from here. */
  rows?: string;
}

/** Rows of other people, that hang on what one person's erasure deletes. */
export async function hangingOnPeople(
  map: DataMap,
  catalogue: Catalogue,
  rows: RowQuestions,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  const hanging = new HangingRows({ map, catalogue, whose: new WhosePeople(map, catalogue) });
  for (const { collection, suspect } of suspects(map, catalogue, hanging, 'people')) {
    const answer = await ask(rows, suspect);
    // Of a tombstone the content goes at once all the same.
    if (collection.erasure.rule === 'tombstone') {
      if (answer === 'yes' || staysBehind(map, suspect.referrer, collection))
        found.warnings.push(waits(collection, suspect.referrer, answer));
    } else if (answer === 'yes') found.errors.push(refused(collection, suspect.referrer, catalogue));
    else found.warnings.push(mayBeRefused(collection, suspect.referrer, catalogue, answer));
  }
  return { errors: oncePerKey(found.errors), warnings: oncePerKey(found.warnings, found.errors) };
}

/** By several ways the same key may be in the way; the first to say so, and the worst, says enough. */
const oncePerKey = (found: readonly Finding[], worse: readonly Finding[] = []): Finding[] =>
  found.filter(
    ({ where }, n) =>
      found.findIndex((one) => one.where === where) === n && !worse.some((one) => one.where === where),
  );

/**
 * Rows of another workspace that hang on what a purge deletes: warnings, since they are in the way of that one workspace
 * only. That rows refer to their own workspace's is what hosts are built on, and keys seldom say it, so nothing is said of
 * what might come.
 */
export async function hangingOnWorkspaces(
  map: DataMap,
  catalogue: Catalogue,
  rows: RowQuestions,
): Promise<Finding[]> {
  if (!map.workspaces) return [];
  const found: Finding[] = [];
  const purged = inPurges(map, catalogue);
  const hanging = new HangingRows({
    ...{ map: purged, catalogue },
    whose: new WhoseWorkspaces(map.workspaces, catalogue),
    besides: new WhosePeople(map, catalogue),
  });
  for (const { collection, suspect } of suspects(purged, catalogue, hanging, 'workspaces'))
    if ((await ask(rows, suspect)) === 'yes') found.push(stopsPurge(collection, suspect.referrer));
  return oncePerKey(found);
}

const ask = async (rows: RowQuestions, { rows: query }: Suspect): Promise<Answer> =>
  query === undefined
    ? { unanswered: 'the map does not show the columns that the key refers to' }
    : rows.shown(query);

function* suspects(
  map: DataMap,
  catalogue: Catalogue,
  hanging: HangingRows,
  about: 'people' | 'workspaces',
): Generator<{ collection: Collection; suspect: Suspect }> {
  const whose = about === 'people' ? new WhosePeople(map, catalogue) : undefined;
  for (const collection of Object.values(map.collections)) {
    const table = tableIn(catalogue, collection.table);
    // What several people share stays for whoever is left.
    if (!table || collection.builtIn || collection.shared || !isDeleted(collection)) continue;
    const ways = whose ? whose.ways(collection) : collection.workspace.map((path) => ({ path }));
    if (ways.length === 0) continue;
    const swept = collection.erasure.rule === 'tombstone';
    const going = hanging.going(collection, table);
    for (const suspect of below(catalogue, hanging, table, { ways, going, swept }, []))
      yield { collection, suspect };
  }
}

/** Keys that refer to these rows, and to those that would go along with them. */
function below(
  catalogue: Catalogue,
  hanging: HangingRows,
  table: CatalogueTable,
  rows: Omit<Hanging, 'referrer'>,
  seen: readonly string[],
): Suspect[] {
  const behind = tableBehind(catalogue, table) ?? table;
  return referrersOf(catalogue, behind).flatMap((referrer) => {
    const { child, key } = referrer;
    const one: Hanging = { ...rows, referrer };
    const cascades = key.onDelete === 'cascade';
    if (key.onDelete === 'set null' || key.onDelete === 'set default') return [];
    // That a cascade goes on from behind a view, or to rows that the map does not know, is refused in any case.
    if ((cascades && behind !== table) || !hanging.knows(child) || hanging.follow(one)) return [];
    if (!isSeen(key, table)) return [{ referrer }];
    if (!cascades) return [{ referrer, rows: hanging.held(one) }];
    const here = [...seen, qualified(table)];
    const along = hanging.along(one, here);
    return [
      { referrer, rows: hanging.takenAlong(one, here) },
      ...(along ? below(catalogue, hanging, child, { ...rows, ...along }, here) : []),
    ];
  });
}

const at = ({ child, key }: Referrer, code: string, message: string): Finding =>
  finding(code, child, key.columns.join(', '), message);

const refers = ({ name }: Collection, { key }: Referrer): string =>
  `${key.name} refers to ${shown(key.target)}, whose rows a person’s erasure deletes (${name})`;

const consequence = ({ key }: Referrer): string =>
  key.onDelete === 'cascade'
    ? 'ON DELETE CASCADE would take them along, so the erasure is refused'
    : 'they stay and stop the delete, so the erasure is refused';

function way({ name, table }: Collection, referrer: Referrer, catalogue: Catalogue): string {
  const { child, key } = referrer;
  const clause = setNullOf(referrer);
  const readable = tableIn(catalogue, table)?.kind === 'view' ? ' of the table behind it' : '';
  return (
    `Let the rows of ${name}${readable} stay without what they say (rule \`clear\` or \`pseudonymise\`; \`tombstone\` where they ` +
    `shall go as soon as nothing hangs on them any more), ${clause === undefined ? '' : `or make ${key.name} ${clause}, `}` +
    `or, if such a row of ${shown(child)} is as much theirs, give it a path to them that joins ${shown(key.target)} by this key.`
  );
}

const refused = (collection: Collection, referrer: Referrer, catalogue: Catalogue): Finding =>
  at(
    referrer,
    'erasure.foreign_key',
    `${refers(collection, referrer)}: rows of ${shown(referrer.child)} that are not that person’s hang on some. ` +
      `${capital(consequence(referrer))}. ${way(collection, referrer, catalogue)}`,
  );

const mayBeRefused = (
  collection: Collection,
  referrer: Referrer,
  catalogue: Catalogue,
  answer: Answer,
): Finding =>
  at(
    referrer,
    'erasure.uncertain',
    `${refers(collection, referrer)}, and nothing says that rows of ${shown(referrer.child)} that hang on them are that person’s. ` +
      (typeof answer === 'object'
        ? `Whether one is not could not be seen: ${answer.unanswered}. `
        : 'None that is not is there yet. ') +
      `With the first of them ${consequence(referrer)}. ${way(collection, referrer, catalogue)}`,
  );

const waits = (collection: Collection, referrer: Referrer, answer: Answer): Finding =>
  at(
    referrer,
    'erasure.sweep_waits',
    `${referrer.key.name} refers to ${shown(referrer.key.target)}, whose rows are tombstones (${collection.name}): rows of ` +
      `${shown(referrer.child)} that do not go with that person ${answer === 'yes' ? '' : 'may come to '}hang on some. Those stay, emptied, as long as such a row is there, ` +
      'and their final certificate waits. Where they are to stay for good use rule `clear` or `pseudonymise`.',
  );

function stopsPurge(collection: Collection, referrer: Referrer): Finding {
  const { child, key } = referrer;
  const clause = setNullOf(referrer);
  return at(
    referrer,
    'erasure.foreign_key',
    `When a workspace is purged: ${key.name} refers to ${shown(key.target)}, whose rows are deleted ` +
      `(${collection.name}), and rows of ${shown(child)} that are not that workspace’s hang on some, so the purge of that one is refused. ` +
      `Mend those rows, ${clause === undefined ? '' : `make ${key.name} ${clause}, `}or give them a path to the workspace that joins ` +
      `${shown(key.target)} by this key.`,
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
