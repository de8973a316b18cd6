/** Which recipients hear of an erasure, and what they need to know to act on it. */
import { type DataMap, type Recipient } from '../../datamap/map.js';
import { placeholdersIn } from '../../datamap/placeholders.js';
import { templatesOf } from '../../datamap/recipients.js';
import { type Subject } from '../../datamap/settings.js';
import { workspaceId } from '../../datamap/workspace-id.js';
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
  const gone = steps.filter(({ rule, rows, done = 0 }) => rule !== 'keep' && (rows > 0 || done > 0));
  const had = gone.filter(({ collection }) => collections?.includes(collection) ?? true);
  const keys = new Set(had.map(({ workspace }) => workspace));
  // About somebody as a whole: once, by whoever runs the request.
  if (!collections && scope === 'account') return keys.size > 0 ? [{ tenant }] : [];
  const ownKey = workspaces.find((key) => workspaceId(key) === tenant);
  const places = [...keys].map((key) => {
    const placed = key ?? ownKey;
    return placed === undefined ? { tenant } : { tenant: workspaceId(placed), key: placed };
  });
  return [...new Map(places.map((place) => [place.tenant, place])).values()];
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
