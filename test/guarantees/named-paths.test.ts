import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { projectFile } from '../../src/config.js';

const root = projectFile('.');
const pages = ['ARCHITECTURE.md', 'README.md', 'docs/**/*.md', 'src/**/*.md'].flatMap((pattern) =>
  globSync(pattern, { cwd: root }),
);

const QUOTED = /`([^`\s]+)`/g;
const IN_THE_TREE = /^(?:src|test|docs|demo|bench|migrations)\//;
const FILE_NAME = /^[\w*][\w./*-]*\.(?:ts|sql|md|yaml)$/;

/** Paths that a line names; one without a folder is in the folder that was named last before it. */
function pathsIn(line: string): string[] {
  const paths: string[] = [];
  let folder: string | undefined;
  for (const [, named = ''] of line.matchAll(QUOTED)) {
    if (IN_THE_TREE.test(named)) {
      paths.push(named);
      folder = named.slice(0, named.lastIndexOf('/') + 1);
    } else if (folder !== undefined && FILE_NAME.test(named)) paths.push(join(folder, named));
  }
  return paths;
}

const isThere = (path: string): boolean => globSync(path.replace(/\/$/, ''), { cwd: root }).length > 0;

test('every file and folder that a page of documentation names exists', () => {
  const named = pages.flatMap((page) =>
    readFileSync(join(root, page), 'utf8')
      .split('\n')
      .flatMap((line, n) => pathsIn(line).map((path) => ({ where: `${page}:${n + 1}`, path }))),
  );
  expect(named.length).toBeGreaterThan(150);
  expect(named.filter(({ path }) => !isThere(path))).toEqual([]);
});

test('one that has moved would be found, by its short name too', () => {
  const line =
    '| x | `src/dsar/gone.ts`, `request.ts`; `test/dsar/`: `nowhere.ts`, `law/`; `src/dsar/**/*.sweep.ts` |';
  expect(pathsIn(line).filter((path) => !isThere(path))).toEqual([
    'src/dsar/gone.ts',
    'test/dsar/nowhere.ts',
  ]);
});
