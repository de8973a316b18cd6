/** YAML to a data map. Errors come all at once, each with file, line, column and the way to it. */
import { isMap, isNode, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { type z } from 'zod';
import { DomainError } from '../errors.js';
import { incoherences } from './coherence.js';
import { type DataMap } from './map.js';
import { hashOf, type Problem, Resolver } from './resolve.js';
import { dataMapSchema, type DataMapSource } from './schema.js';

/** Habeas's own tables, in the words of the YAML: they depend on the kinds that the host's map declares. */
export type BuiltInMap = (map: DataMap) => Pick<DataMapSource, 'schema' | 'collections' | 'exempt'>;

export interface MapOrigin {
  /** As errors name it. */
  file: string;
  builtIn?: BuiltInMap;
}

/**
 * Reads a data map. Throws DomainError `datamap.invalid` whose message lists every problem, one a line,
 * as `file:line:column path: what is wrong`; `details.errors` has the same as data.
 */
export function parseDataMap(yaml: string, { file, builtIn }: MapOrigin): DataMap {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    fail(
      file,
      document.errors.map((e) => ({ ...lines.linePos(e.pos[0]), path: '', message: firstLine(e.message) })),
    );
  }
  const written: unknown = document.toJS();
  const parsed = dataMapSchema.safeParse(written);
  const place = (problem: Problem) => ({
    ...lines.linePos(offsetOf(document, problem.path)),
    ...shownProblem(problem),
  });
  if (!parsed.success)
    fail(file, parsed.error.issues.flatMap((issue) => problemsOf(issue, [], written)).map(place));
  const resolver = new Resolver(parsed.data);
  const map = resolver.resolve(parsed.data);
  const problems = [...resolver.problems, ...incoherences(map)];
  if (problems.length > 0) fail(file, problems.map(place));
  return builtIn ? withBuiltIn(map, builtIn) : map;
}

/** The host's map together with Habeas's own collections: one map, walked as one (invariant 1). */
export function withBuiltIn(map: DataMap, builtIn: BuiltInMap): DataMap {
  const source = builtIn(map);
  const resolver = new Resolver(source, true);
  const own = resolver.collections(source.collections);
  const taken = Object.keys(own).filter((name) => map.collections[name]);
  if (taken.length > 0)
    throw new DomainError(
      'datamap.invalid',
      `These collection names belong to Habeas; rename them: ${taken.join(', ')}.`,
    );
  const merged = {
    ...map,
    collections: Object.assign(Object.create(null) as DataMap['collections'], map.collections, own),
    exempt: [...map.exempt, ...resolver.exemptions(source.exempt)],
  };
  const problems = [...resolver.problems, ...incoherences(merged)];
  if (problems.length > 0)
    throw new DomainError(
      'datamap.invalid',
      problems.map((p) => `built in: ${p.path.join('.')}: ${p.message}`).join('\n'),
    );
  const { hash: _, ...content } = merged;
  return { ...merged, hash: hashOf(content) };
}

interface Placed {
  line: number;
  col: number;
  path: string;
  message: string;
}

function fail(file: string, problems: Placed[]): never {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.col - b.col);
  const lines = sorted.map((p) => `${file}:${p.line}:${p.col} ${p.path ? `${p.path}: ` : ''}${p.message}`);
  throw new DomainError('datamap.invalid', lines.join('\n'), {
    errors: sorted.map((p) => ({
      path: p.path,
      code: 'datamap.invalid',
      message: `line ${p.line}: ${p.message}`,
    })),
  });
}

const firstLine = (message: string): string => message.split('\n', 1)[0] as string;

const shownProblem = ({ path, message }: Problem) => ({
  path: path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join(''),
  message,
});

/** zod's issues as problems; of a union only the branch that the author most likely meant. */
function problemsOf(issue: z.core.$ZodIssue, above: (string | number)[], written: unknown): Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a word of the data map' }));
  if (issue.code === 'invalid_key')
    return [{ path, message: `is not a valid name: ${reason(issue.issues)}` }];
  // Of a word that is not there every branch of a union says only that it is not that.
  if (valueAt(written, path) === undefined) return [{ path, message: missing(issue) }];
  if (issue.code !== 'invalid_union') return [{ path, message: plain(issue.message) }];
  const meant = issue.errors.filter((branch) => !branch.some((e) => e.path.length === 0 && mismatch(e)));
  const best = meant.toSorted((a, b) => a.length - b.length)[0];
  if (best) return best.flatMap((inner) => problemsOf(inner, path, written));
  const messages = new Set(issue.errors.flatMap((branch) => branch.map((e) => plain(e.message))));
  return [{ path, message: messages.size > 0 ? [...messages].join(', or ') : plain(issue.message) }];
}

/** Where only a few words fit, the author need not look them up. */
function missing(issue: z.core.$ZodIssue): string {
  const chosen =
    issue.code === 'invalid_value' || (issue.code === 'invalid_union' && issue.errors.length === 0);
  return chosen ? `is missing: ${plain(issue.message)}` : 'is missing';
}

const valueAt = (written: unknown, path: (string | number)[]): unknown =>
  path.reduce(
    (value, step) => (value as Record<string | number, unknown> | null | undefined)?.[step],
    written,
  );

const mismatch = (issue: z.core.$ZodIssue) => issue.code === 'invalid_type' || issue.code === 'invalid_value';
const reason = (issues: z.core.$ZodIssue[]) => issues.map((i) => i.message).join(', ');
const plain = (message: string) =>
  message.replace(/^Invalid (input|string|option|discriminator value)[:.] /, '');

/** Where a path stands in the text: its key, or the nearest thing above it that exists. */
function offsetOf(document: Document, path: (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isNode(item.key) && String(item.key) === String(step));
      if (!pair) break;
      offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset;
    } else break;
  }
  return offset;
}
