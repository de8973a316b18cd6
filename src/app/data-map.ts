import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { type Config, projectFile } from '../config.js';
import { type DataMap } from '../datamap/map.js';
import { parseDataMap } from '../datamap/parse.js';

/** The configured data map, or the demo host's. @throws DomainError `datamap.invalid` with file, line and path */
export function readDataMap({ datamapFile }: Config): DataMap {
  const path = datamapFile ?? projectFile('demo', 'datamap.yaml');
  // As people would type it, where that is shorter.
  const near = relative(process.cwd(), path);
  return parseDataMap(readFileSync(path, 'utf8'), { file: near.startsWith('..') ? path : near });
}
