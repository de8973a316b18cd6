/** What the catalogue says about the rows that erasure writes or deletes, without asking Postgres to try. */
import { type Catalogue } from './catalogue.js';
import { isDeleted } from './changes.js';
import { type Written } from './check-rows.js';
import { erasureOrder } from './erasure-order.js';
import { type Finding, finding } from './findings.js';
import { type DataMap } from './map.js';

/** Collections that no order of batches can delete: their rows go in one statement, however many they are. */
export const circles = (map: DataMap, catalogue: Catalogue): Finding[] =>
  erasureOrder(catalogue, Object.values(map.collections))
    .stages.map(({ collections }) => collections.filter(({ erasure }) => erasure.rule === 'delete'))
    .flatMap(([first, ...others]) => {
      if (!first || others.length === 0) return [];
      const names = [first, ...others].map(({ name }) => name).join(', ');
      return [
        finding(
          'erasure.one_statement',
          first.table,
          undefined,
          `Foreign keys lead in a circle through ${names}: what is erased there goes in one statement instead of in batches. ` +
            'Where that may be many rows, make one of the keys ON DELETE SET NULL.',
        ),
      ];
    });

/** The tables that a function plainly inserts into, as its source spells them; what it puts together as it runs is not told. */
function insertsOf(source: string): string {
  const spoken = source.replaceAll(/--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'/g, ' ');
  const word = '(?:"[^"]+"|[a-z_][\\w$]*)';
  const inserts = spoken.matchAll(new RegExp(`\\binsert\\s+into\\s+(${word}(?:\\s*\\.\\s*${word})?)`, 'gi'));
  const tables = [...new Set([...inserts].map(([, table = '']) => table))];
  return tables.length === 0 ? '' : `It inserts into ${tables.join(', ')}. `;
}

/** What runs along with a delete or an update is not the map's to know: somebody has to look. */
export function sideEffects({ collection, table, facts, changes }: Written): Finding[] {
  const deletes = isDeleted(collection);
  const updates = Object.keys(changes).length > 0;
  const fired = facts.triggers.flatMap(({ name, function: run, source, onDelete, onUpdateOf, timing }) => {
    const byUpdate =
      updates && !!onUpdateOf && (onUpdateOf.length === 0 || onUpdateOf.some((column) => column in changes));
    const what = [...(deletes && onDelete ? ['deletes'] : []), ...(byUpdate ? ['changes'] : [])];
    if (what.length === 0) return [];
    const may = timing === 'AFTER' ? 'refuse it, or keep a copy of the row elsewhere' : 'refuse or alter it';
    return `Trigger ${name} (${timing}, function ${run}) runs when erasure ${what.join(' or ')} a row, and may ${may}. ${insertsOf(source)}Look at what it does.`;
  });
  return fired.map((message) => finding('erasure.side_effect', table, undefined, message));
}
