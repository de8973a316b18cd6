/**
 * In which order collections are erased, worked out from the catalogue. Two things decide: a foreign key lets its
 * parent go only after its children, and rows that are found by way of others must go before those others change.
 * Where the two contradict each other the foreign key wins, and the rows are noted before anything goes.
 */
import { type Catalogue, type CatalogueTable, type ForeignKey, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import { type Collection, type Path } from './map.js';
import { qualified, type TableRef } from './names.js';

/** Collections whose rows go together; more than one only where foreign keys lead in a circle. */
export interface ErasureStage {
  collections: Collection[];
}

export interface ErasureOrder {
  stages: ErasureStage[];
  /** Names of collections whose rows must be noted before the first stage. */
  gathered: Set<string>;
}

/** Foreign keys whose children must be gone, or must have let go, before the parent. */
export const holdsItsParent = ({ onDelete }: ForeignKey): boolean =>
  onDelete !== 'set null' && onDelete !== 'set default';

/** The order for these collections. Workspaces' before the account's, and people's own rows last, where keys allow. */
export function erasureOrder(catalogue: Catalogue, collections: readonly Collection[]): ErasureOrder {
  const all = collections.filter(({ builtIn }) => !builtIn);
  const before = new Graph(all.map(({ name }) => name));
  for (const child of all)
    for (const parent of all) if (mustLetGo(catalogue, child, parent)) before.add(child.name, parent.name);
  const component = before.components();
  const stages = new Graph([...new Set(component.values())]);
  for (const [from, to] of before.edges()) stages.addBetween(component, from, to);
  const gathered = new Set(all.filter(({ shared }) => shared).map(({ name }) => name));
  for (const found of all)
    for (const way of all) {
      if (found.name === way.name || gathered.has(found.name) || !leadsThrough(catalogue, found, way))
        continue;
      const [from, to] = [component.get(found.name) ?? '', component.get(way.name) ?? ''];
      if (from === to || stages.reaches(to, from)) gathered.add(found.name);
      else stages.add(from, to);
    }
  const rank = new Map<string, number>();
  for (const collection of all) {
    const id = component.get(collection.name) ?? '';
    rank.set(id, Math.max(rank.get(id) ?? 0, lateness(collection)));
  }
  const order = stages.sorted((id) => rank.get(id) ?? 0);
  return {
    stages: order.map((id) => ({ collections: all.filter(({ name }) => component.get(name) === id) })),
    gathered,
  };
}

// The account's rows hold the identifiers that others are found by; a pseudonymised person must be the last thing.
const lateness = ({ controller, erasure, subject }: Collection): number => {
  if (controller === 'workspace') return 0;
  const ownRow = Object.values(subject).some((paths) => paths.some(({ join }) => join.length === 0));
  return erasure.rule === 'pseudonymise' && ownRow ? 2 : 1;
};

function mustLetGo(catalogue: Catalogue, child: Collection, parent: Collection): boolean {
  if (!isDeleted(parent) || child.name === parent.name) return false;
  const changes = changesOf(child);
  const parents = tablesBehind(catalogue, parent.table).map((to) => rootOf(catalogue, to));
  return tablesBehind(catalogue, child.table)
    .flatMap((from) => treeOf(catalogue, from))
    .some((from) =>
      from.foreignKeys.some(
        (key) =>
          holdsItsParent(key) &&
          parents.includes(rootOf(catalogue, key.target)) &&
          rootOf(catalogue, key.target) !== rootOf(catalogue, from) &&
          (isDeleted(child) || key.columns.some((column) => column in changes)),
      ),
    );
}

/** A key may name a partition, or an heir, and be one's own: rows of those are found by way of the table above. */
const rootOf = (catalogue: Catalogue, table: TableRef): string =>
  qualified(tableIn(catalogue, table)?.root ?? table);

const treeOf = (catalogue: Catalogue, table: CatalogueTable): CatalogueTable[] => [
  table,
  ...[...catalogue.tables.values()].filter(({ root }) => root && qualified(root) === qualified(table)),
];

/** Whether `found` cannot be found any more once `way` has been erased. */
function leadsThrough(catalogue: Catalogue, found: Collection, way: Collection): boolean {
  if (way.erasure.rule === 'keep') return false;
  const changed = changesOf(way);
  const behind = (table: TableRef) => tablesBehind(catalogue, table).map(qualified);
  const there = behind(way.table);
  return [...Object.values(found.subject).flat(), ...found.workspace].some((path) =>
    touched(found.table, path).some(({ table, columns }, depth) => {
      if (!behind(table).some((name) => there.includes(name))) return false;
      // Of its own table it loses only what is changed under it.
      return (isDeleted(way) && depth > 0) || columns.some((column) => column in changed);
    }),
  );
}

/** Tables along a path, the collection's own first, each with the columns that the path reads there. */
function touched(own: TableRef, { join, columns }: Path): { table: TableRef; columns: string[] }[] {
  const stops = [own, ...join.map(({ table }) => table)];
  return stops.map((table, depth) => ({
    table,
    columns: [
      ...(join[depth - 1]?.on.map(([, to]) => to) ?? []),
      ...(join[depth]?.on.map(([from]) => from) ?? columns),
    ],
  }));
}

/** The table, or the tables that a view reads. */
function tablesBehind(catalogue: Catalogue, ref: TableRef, seen = new Set<string>()): CatalogueTable[] {
  const table = tableIn(catalogue, ref);
  if (!table || seen.has(qualified(ref))) return [];
  seen.add(qualified(ref));
  return [table, ...table.reads.flatMap((read) => tablesBehind(catalogue, read, seen))];
}

/** A small directed graph: `a → b` says that a comes before b. */
class Graph {
  private readonly next = new Map<string, Set<string>>();

  constructor(private readonly nodes: readonly string[]) {
    for (const node of nodes) this.next.set(node, new Set());
  }

  add(from: string, to: string): void {
    if (from !== to) this.next.get(from)?.add(to);
  }

  addBetween(component: Map<string, string>, from: string, to: string): void {
    this.add(component.get(from) ?? '', component.get(to) ?? '');
  }

  edges(): [string, string][] {
    return this.nodes.flatMap((from) =>
      [...(this.next.get(from) ?? [])].map((to): [string, string] => [from, to]),
    );
  }

  reaches(from: string, to: string, seen = new Set<string>()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(this.next.get(from) ?? [])].some((node) => this.reaches(node, to, seen));
  }

  /** Node → the first node of the circle it is in (itself where there is none). */
  components(): Map<string, string> {
    const found = new Map<string, string>();
    for (const node of this.nodes) {
      const first = this.nodes.find((other) => this.reaches(node, other) && this.reaches(other, node));
      found.set(node, first ?? node);
    }
    return found;
  }

  /** Every node after those that come before it; among the free ones the lowest rank first, then as given. */
  sorted(rank: (node: string) => number): string[] {
    const left = new Set(this.nodes);
    const sorted: string[] = [];
    while (left.size > 0) {
      const free = [...left].filter((node) => ![...left].some((other) => this.next.get(other)?.has(node)));
      const first = free.sort((a, b) => rank(a) - rank(b))[0];
      if (first === undefined) throw new Error('a circle was left in the order');
      sorted.push(first);
      left.delete(first);
    }
    return sorted;
  }
}
