/** Words of a text taken apart: what the rule clears stands in them still. */
import { type Written } from './check-rows.js';
import { type Found, mentions } from './check-values.js';
import { finding } from './findings.js';

/**
 * tsvector columns of rows that stay and that the rule says nothing about. Identifiers are found in them, names and
 * sentences are not, so nothing would tell afterwards. A trigger that names the column may write it anew: only a
 * person can tell whether it does.
 */
export function words({ collection, table, facts, changes }: Written): Found {
  const found: Found = { errors: [], warnings: [] };
  if (collection.erasure.rule === 'delete') return found;
  for (const { name, base, generated, notNull } of table.columns) {
    if (base !== 'pg_catalog.tsvector' || generated || name in changes) continue;
    const keeper = facts.triggers.find(
      ({ onUpdateOf, source }) =>
        onUpdateOf &&
        (onUpdateOf.length === 0 || onUpdateOf.some((column) => column in changes)) &&
        mentions(source, name),
    );
    const isTable = table.kind === 'table' || table.kind === 'partitioned';
    const say = (level: keyof Found, message: string) =>
      found[level].push(finding('erasure.words_stay', table, name, message));
    const way = notNull
      ? `Write an empty one: set: { ${name}: '' }.`
      : collection.erasure.rule === 'pseudonymise'
        ? `Clear it: set: { ${name}: null }.`
        : `Clear it: name ${name} among the columns that the rule clears.`;
    if (keeper)
      say(
        'warnings',
        `It holds words of what the erasure clears, unless trigger ${keeper.name} (function ${keeper.function}) writes it anew on each update. See that it does.`,
      );
    else if (isTable)
      say(
        'errors',
        `It holds words of what the erasure clears, and no trigger that names it writes it anew. ${way}`,
      );
    else
      say(
        'warnings',
        `It holds words of what the erasure clears, unless the table behind the view writes it anew. ${way}`,
      );
  }
  return found;
}
