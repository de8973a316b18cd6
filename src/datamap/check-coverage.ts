/** Is everything that reaches a person in the map, or exempted with a reason (invariant 1)? */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { ownersOf } from './heirs.js';
import { type DataMap } from './map.js';
import { matches, qualified, shown, type TableRef } from './names.js';
import { classificationOf } from './render.js';

/** Tables and columns that are neither mapped nor exempted: errors where they reach a person, else warnings. */
export function checkCoverage(
  map: DataMap,
  catalogue: Catalogue,
): { errors: Finding[]; warnings: Finding[] } {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  const ways = waysToPeople(map, catalogue);
  const mapped = new Set(Object.values(map.collections).map((c) => qualified(c.table)));
  for (const table of catalogue.tables.values()) {
    // A plain view stores nothing; a partition is judged with its table, an inheriting table unless its root is mapped.
    if (table.kind === 'view' || isPartition(catalogue, table)) continue;
    if (table.root && isCovered(map, mapped, table.root)) continue;
    if (isCovered(map, mapped, table)) continue;
    const way = ways.get(qualified(table));
    const telling = table.columns.map((c) => c.name).filter((name) => soundsLikeAPerson(name, map));
    const advice = 'Map it as a collection, or exempt it with a reason.';
    if (way)
      errors.push(
        finding(
          'table.unmapped_person',
          table,
          undefined,
          `It reaches a person (${way}) and is not in the map. ${advice}`,
        ),
      );
    else if (telling.length > 0)
      errors.push(
        finding(
          'table.unmapped_person',
          table,
          undefined,
          `It has columns that sound like a person (${telling.join(', ')}) and is not in the map. ${advice}`,
        ),
      );
    else warnings.push(finding('table.unmapped', table, undefined, `It is not in the map. ${advice}`));
  }
  errors.push(...unclassified(map, catalogue), ...hiddenColumns(map, catalogue));
  warnings.push(...idleExemptions(map, catalogue));
  return { errors, warnings };
}

const isPartition = (catalogue: Catalogue, { root }: CatalogueTable): boolean =>
  root !== undefined && tableIn(catalogue, root)?.kind === 'partitioned';

function isCovered(map: DataMap, mapped: Set<string>, table: TableRef): boolean {
  return (
    mapped.has(qualified(table)) || map.exempt.some((e) => !('column' in e) && matchesTable(e.table, table))
  );
}

const isExempt = (map: DataMap, table: TableRef, column: string): boolean =>
  map.exempt.some((e) => 'column' in e && matchesTable(e.table, table) && matches(e.column, column));

const matchesTable = (pattern: TableRef, table: TableRef): boolean =>
  matches(pattern.schema, table.schema) && matches(pattern.name, table.name);

/** For each table from which foreign keys lead to a person: the way, for people. Cycles are walked once. */
function waysToPeople(map: DataMap, catalogue: Catalogue): Map<string, string> {
  const ways = new Map<string, string>();
  const queue: CatalogueTable[] = [];
  for (const kind of Object.values(map.subjects)) {
    const table = kind.table && tableIn(catalogue, kind.table);
    if (!table || ways.has(qualified(table))) continue;
    ways.set(qualified(table), `it holds the people of kind ${kind.name}`);
    queue.push(table);
  }
  const referring = new Map<string, [CatalogueTable, string][]>();
  for (const table of catalogue.tables.values())
    for (const key of table.foreignKeys) {
      const target = qualified(key.target);
      referring.set(target, [...(referring.get(target) ?? []), [table, key.columns.join(', ')]]);
    }
  for (let table = queue.shift(); table; table = queue.shift())
    for (const [from, columns] of referring.get(qualified(table)) ?? []) {
      if (ways.has(qualified(from))) continue;
      ways.set(qualified(from), `${columns} → ${shown(table)}`);
      queue.push(from);
    }
  return ways;
}

const PERSON =
  /(^|_)(e_?mail|mail|phone|mobile|tel|telephone|fax|user|customer|client|person|people|member|owner|author|sender|recipient|creator|contact|employee|patient|student|guest|visitor|subscriber|participant|account_holder|profile|created_by|updated_by|deleted_by|invited_by|assigned_to|assignee)(_?(id|uuid|guid|key|no|number|ref|email|mail|address|name))?$|^(first|last|full|given|family|middle|maiden|sur|display|nick|user)_?name$|(^|_)(birth_?(date|day)|date_of_birth|dob|ssn|iban|passport(_no|_number)?|ip|ip_address|street|postcode|zip_code|avatar(_url)?)$/;

/** Whether a column's name sounds like it holds or points at a person: userId, E-Mail, customer_no, first_name. */
function soundsLikeAPerson(column: string, map: DataMap): boolean {
  const snake = column
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .toLowerCase();
  if (PERSON.test(snake)) return true;
  return Object.keys(map.subjects).some((kind) =>
    new RegExp(`(^|_)${kind.replaceAll('-', '_')}(_?(id|uuid|key|no))?$`).test(snake),
  );
}

function unclassified(map: DataMap, catalogue: Catalogue): Finding[] {
  return Object.values(map.collections).flatMap((collection) =>
    (tableIn(catalogue, collection.table)?.columns ?? [])
      .filter((column) => !classificationOf(map, collection, column.name))
      .map((column) =>
        finding(
          'column.unclassified',
          collection.table,
          column.name,
          `Classify it in collection ${collection.name}, or exempt it with a reason: packages leave it out until then.`,
        ),
      ),
  );
}

/**
 * A table that inherits from a mapped one may have columns of its own, which reading the one above does not show. Mapped on
 * its own it shows them itself, and an exempt column says nothing of anybody.
 */
function hiddenColumns(map: DataMap, catalogue: Catalogue): Finding[] {
  return [...catalogue.tables.values()].flatMap((table) => {
    const above = ownersOf(map, catalogue, table);
    if (above.length === 0 || above.includes(table)) return [];
    const seen = new Set(above.flatMap(({ columns }) => columns.map(({ name }) => name)));
    const ways = above.map(shown).join(' and ');
    return table.columns
      .filter(({ name }) => !seen.has(name) && !isExempt(map, table, name))
      .map((c) =>
        finding(
          'column.hidden',
          table,
          c.name,
          `${ways} does not show this column of an inheriting table: map ${shown(table)} on its own, or exempt the column with a reason.`,
        ),
      );
  });
}

function idleExemptions(map: DataMap, catalogue: Catalogue): Finding[] {
  return map.exempt.flatMap((e) => {
    const tables = [...catalogue.tables.values()].filter((t) => matchesTable(e.table, t));
    const idle =
      'column' in e
        ? !tables.some((t) => t.columns.some((c) => matches(e.column, c.name)))
        : tables.length === 0;
    return idle
      ? [
          finding(
            'exempt.idle',
            e.table,
            'column' in e ? e.column : undefined,
            'This exemption matches nothing. Remove it.',
          ),
        ]
      : [];
  });
}
