/** Which recipients hear of an erasure, and what they need to know to act on it. */
import { type DataMap, type Recipient } from '../datamap/map.js';
import { placeholdersIn } from '../datamap/placeholders.js';
import { templatesOf } from '../datamap/recipients.js';
import { type Subject } from '../datamap/settings.js';
import { workspaceId } from '../datamap/workspace-id.js';
import { type Erased, type Facts } from './recipient.js';

export interface NewTask {
  /** Of the part whose data went. */
  tenant: string;
  recipient: Recipient;
  facts: Facts;
}

/** One task for each recipient and tenant; none for a recipient that knows nobody of these people. */
export function tasksFor(map: DataMap, erased: Erased, when: 'start' | 'end'): NewTask[] {
  return Object.values(map.recipients)
    .filter((recipient) => recipient.when === when && recipient.scope.includes(erased.scope))
    .flatMap((recipient) => {
      const people = peopleFor(recipient, erased.subjects);
      if (people.length === 0 && erased.scope !== 'workspace') return [];
      return placesFor(recipient, erased).map(({ tenant, key }) => ({
        tenant,
        recipient,
        facts: {
          people,
          ...(key !== undefined && { workspace: { id: tenant, key } }),
          through: 0,
        },
      }));
    });
}

/** The tenants in which something went that this recipient had got. */
function placesFor(
  { collections }: Recipient,
  { tenant, scope, steps, workspaces }: Erased,
): { tenant: string; key?: string }[] {
  const [only] = workspaces;
  const own = scope === 'account' || only === undefined ? { tenant } : { tenant, key: only };
  const gone = steps.filter(({ rule, rows, done = 0 }) => rule !== 'keep' && (rows > 0 || done > 0));
  if (!collections) return gone.length > 0 ? [own] : [];
  const keys = new Set(
    gone.filter(({ collection }) => collections.includes(collection)).map(({ workspace }) => workspace),
  );
  return [...keys].map((key) => (key === undefined ? own : { tenant: workspaceId(key), key }));
}

function peopleFor(recipient: Recipient, subjects: readonly Subject[]): Facts['people'] {
  // Whoever lacks what the call is made of is unknown there.
  const needed = templatesOf(recipient)
    .flatMap(({ text }) => placeholdersIn(text))
    .filter((name) => name.startsWith('subject.') && name !== 'subject.kind')
    .map((name) => name.slice('subject.'.length));
  return subjects
    .filter(({ kind }) => recipient.subjects?.includes(kind) ?? true)
    .map(({ kind, key, identifiers }) => ({
      kind,
      values: Object.fromEntries(
        recipient.identifiers
          .map((name) => [name, name === 'key' ? key : (identifiers[name] ?? '')] as const)
          .filter(([, value]) => value !== ''),
      ),
    }))
    .filter(
      ({ values }) => Object.keys(values).length > 0 && needed.every((name) => values[name] !== undefined),
    );
}
