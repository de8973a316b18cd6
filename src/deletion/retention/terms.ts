/** What a retention may be set to: every objection at once, each with the way to where it stands. */
import { type Catalogue, columnIn } from '../../datamap/catalogue.js';
import { isZero, reachesAsFar } from '../../datamap/iso-days.js';
import { type DataMap } from '../../datamap/map.js';
import { type Sweepable, sweepable } from '../../datamap/sweepable.js';
import { DomainError, type InputProblem } from '../../errors.js';
import { type NewRetention } from './retention.schema.js';
import { type Keep, LOG_FLOOR } from './time.js';

interface Terms {
  map: DataMap;
  catalogue: Catalogue;
}

/** @throws DomainError with the code of the first objection: unknown collection, cannot be swept or set, below the floor */
export function assertMayBeSet(terms: Terms, { collections = {}, auditLog }: NewRetention): void {
  const problems = Object.entries(collections).flatMap(
    ([name, { keep }]) => objectionTo(terms, name, keep, `collections.${name}.keep`) ?? [],
  );
  if (auditLog !== undefined && !reachesAsFar(auditLog, LOG_FLOOR))
    problems.push({
      path: 'auditLog',
      code: 'retention.below_floor',
      message: 'An audit log is kept for 30 days at least, so that what happened can be looked into.',
    });
  refuse(problems);
}

/** The collection as it can be swept. @throws DomainError as above */
export function sweepableIn(terms: Terms, name: string, keep: Keep): Sweepable {
  const problem = objectionTo(terms, name, keep, 'collection', 'keep');
  if (problem) refuse([problem]);
  const rule = sweepable(terms.map.collections[name] as DataMap['collections'][string]);
  if (!rule) throw new Error('a collection without an objection can be swept');
  return rule;
}

function objectionTo(
  { map, catalogue }: Terms,
  name: string,
  keep: Keep,
  path: string,
  keepPath = path,
): InputProblem | undefined {
  const collection = map.collections[name];
  if (!collection || collection.builtIn || collection.workspace.length === 0)
    return { path, code: 'retention.unknown_collection', message: 'A workspace has no such collection.' };
  const rule = sweepable(collection);
  if (!rule)
    return {
      path,
      code: 'retention.not_sweepable',
      message: 'The data map names no time after which its rows could end.',
    };
  if (!rule.adjustable)
    return {
      path,
      code: 'retention.not_adjustable',
      message: 'The data map says how long it is kept, and lets nobody change that.',
    };
  if (keep === null) return undefined;
  if (rule.floor && !reachesAsFar(keep, rule.floor.atLeast))
    return {
      path: keepPath,
      code: 'retention.below_floor',
      message: `It has to be kept for ${rule.floor.atLeast} at least: ${rule.floor.ground}.`,
    };
  if (isZero(keep) && columnIn(catalogue, collection.table, rule.after)?.notNull !== false)
    return {
      path: keepPath,
      code: 'retention.never_open',
      message: `P0D needs a time that says that something has ended; ${rule.after} is there from the start.`,
    };
  return undefined;
}

function refuse(problems: InputProblem[]): void {
  const [first] = problems;
  if (first) throw new DomainError(first.code as DomainError['code'], first.message, { errors: problems });
}
