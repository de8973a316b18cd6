/** What zod cannot see: whether the parts of one map agree with each other. */
import { reachesAsFar } from './iso-days.js';
import { type Collection, type DataMap, type Path, type SubjectKind } from './map.js';
import { checkRecipient } from './recipients.js';
import { type Problem } from './resolve.js';
import { sweepsWhatStays } from './sweepable.js';

type At = (string | number)[];

/** Every disagreement inside the map, each with the way to where it stands. */
export function incoherences(map: DataMap): Problem[] {
  const problems: Problem[] = [];
  const say = (path: At, message: string) => problems.push({ path, message });
  for (const kind of Object.values(map.subjects)) checkKind(kind, say);
  const signing = Object.values(map.subjects).filter((kind) => kind.signIn);
  for (const kind of signing.slice(1)) say(['subjects', kind.name, 'signIn'], 'only one kind can sign in');
  checkWorkspaces(map, say);
  for (const collection of Object.values(map.collections)) checkCollection(map, collection, say);
  for (const recipient of Object.values(map.recipients)) checkRecipient(map, recipient, say);
  return problems;
}

type Say = (path: At, message: string) => void;

function checkKind(kind: SubjectKind, say: Say): void {
  const at = ['subjects', kind.name];
  const identifiers = Object.values(kind.identifiers);
  if (kind.table) {
    if (kind.key.length === 0) say(at, 'a kind with a table needs `key`');
    for (const { name, column } of identifiers)
      if (column === undefined) say([...at, 'identifiers', name], 'name the column: this kind has a table');
    return;
  }
  // Its only identifier is its key; with two, nobody could say which of them a request is about.
  if (identifiers.length !== 1) say(at, 'a kind without a table needs exactly one identifier: it is the key');
  for (const { name, column } of identifiers)
    if (column !== undefined)
      say([...at, 'identifiers', name, 'column'], 'this kind has no table, so no column either');
  for (const setting of ['where', 'language', 'jurisdiction', 'signIn'] as const)
    if (kind[setting] !== undefined) say([...at, setting], 'needs a table');
  if (kind.key.length > 0) say([...at, 'key'], 'needs a table');
  if (kind.display.length > 0) say([...at, 'display'], 'needs a table');
}

function checkWorkspaces({ workspaces, subjects }: DataMap, say: Say): void {
  const at = ['workspaces'];
  const keyed = (record: Record<string, string[]>, path: At) => {
    for (const [kind, columns] of Object.entries(record)) {
      if (!subjects[kind]?.table) say([...path, kind], 'is not a kind of person with a table');
      else if (subjects[kind].key.length !== columns.length)
        say([...path, kind], `needs ${subjects[kind].key.length} column(s), as many as the key of this kind`);
    }
  };
  if (!workspaces) return;
  keyed(workspaces.owner, [...at, 'owner']);
  for (const membership of workspaces.memberships)
    keyed(membership.subject, [...at, 'memberships', 'subject']);
}

function checkCollection(map: DataMap, collection: Collection, say: Say): void {
  const at = ['collections', collection.name];
  const reached = Object.keys(collection.subject).length > 0;
  if (!reached && collection.workspace.length === 0)
    say(
      at,
      'reaches neither a person nor a workspace: give `subject` or `workspace` a path, or exempt the table',
    );
  if (collection.controller === 'workspace' && collection.workspace.length === 0)
    say([...at, 'controller'], 'a workspace decides about this collection, so `workspace` needs a path');
  if (collection.workspace.length > 0 && !map.workspaces && !collection.builtIn)
    say([...at, 'workspace'], 'the map says `workspaces: none`');
  for (const [kind, paths] of Object.entries(collection.subject)) {
    const subject = map.subjects[kind];
    if (!subject) say([...at, 'subject', kind], 'is not declared under `subjects`');
    else paths.forEach((path) => checkSubjectPath(subject, path, [...at, 'subject', kind], say));
  }
  for (const path of collection.workspace) {
    if (path.as !== undefined) say([...at, 'workspace'], 'a workspace has a key only; `as` is for people');
    if (path.columns.length > 1) say([...at, 'workspace'], 'a workspace’s key is one column');
  }
  checkClassifications(map, collection, say);
  checkRetention(collection, say);
}

function checkSubjectPath(subject: SubjectKind, path: Path, at: At, say: Say): void {
  if (path.as !== undefined && !subject.identifiers[path.as])
    say(at, `\`as: ${path.as}\` is not an identifier of ${subject.name}`);
  const wanted = path.as === undefined && subject.table ? subject.key.length : 1;
  if (path.columns.length !== wanted)
    say(at, `names ${path.columns.length} column(s), but what it points at has ${wanted}`);
}

function checkClassifications(map: DataMap, collection: Collection, say: Say): void {
  for (const [column, c] of Object.entries(collection.columns)) {
    const at = ['collections', collection.name, 'columns', column];
    if (c.of !== undefined && c.party !== 'other') say([...at, 'of'], 'goes with `party: other`');
    if (c.as !== undefined && c.of === undefined) say([...at, 'as'], 'goes with `of`');
    if (c.of === undefined) continue;
    const kind = map.subjects[c.of];
    if (!kind) say([...at, 'of'], 'is not declared under `subjects`');
    else if (c.as !== undefined && !kind.identifiers[c.as])
      say([...at, 'as'], `is not an identifier of ${kind.name}`);
  }
}

function checkRetention(collection: Collection, say: Say): void {
  const { retention } = collection;
  if (typeof retention === 'string') return;
  const at = ['collections', collection.name, 'retention'];
  const { keep, after, from, atLeast, ground, adjustable } = retention;
  if (after === undefined) {
    for (const [word, value] of Object.entries({ from, atLeast, adjustable }))
      if (value !== undefined) say([...at, word], 'needs `after`: the column that the time counts from');
  }
  if ((atLeast === undefined) !== (ground === undefined))
    say([...at, ground === undefined ? 'atLeast' : 'ground'], '`atLeast` and its `ground` go together');
  if (after !== undefined)
    for (const [word, value] of Object.entries({ keep, atLeast }))
      if (value?.includes('T')) say([...at, word], 'is counted in days, months or years');
  if (keep && atLeast !== undefined && !reachesAsFar(keep, atLeast))
    say([...at, 'keep'], `is less than \`atLeast: ${atLeast}\``);
  if (sweepsWhatStays(collection))
    say(
      [...at, 'after'],
      `cannot be swept: rows that erasure does not delete (\`${collection.erasure.rule}\`) have no end. Say it in words, or delete`,
    );
}
