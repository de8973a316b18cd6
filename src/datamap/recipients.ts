/** The map's section `recipients`: who is told of an erasure (GDPR Art. 19). */
import { type DataMap, type Recipient } from './map.js';
import { hasStrayBraces, keysIn, placeholdersIn, textsIn } from './placeholders.js';
import { type DataMapSource } from './schema.js';

/** The recipient that ends somebody's sessions at the host, however the host does that. */
export const SESSIONS = 'sessions';

/** Everybody declared; and where people sign in and nothing ends their sessions, somebody who does it by hand. */
export function recipientsOf({ recipients, subjects }: DataMapSource): Record<string, Recipient> {
  const signing = Object.keys(subjects).filter((kind) => subjects[kind]?.signIn);
  const declared = Object.entries(recipients).map(([name, source]): [string, Recipient] => [
    name,
    { ...source, name, scope: source.scope ?? (source.collections ? ['account', 'person'] : ['account']) },
  ]);
  const byHand: Recipient = {
    name: SESSIONS,
    title: 'End the sessions at the host',
    kind: 'manual',
    within: 'P1D',
    subjects: signing,
    identifiers: ['key'],
    scope: ['account'],
    // While they are signed in the product goes on writing about them.
    when: 'start',
  };
  const own: [string, Recipient][] = signing.length > 0 && !recipients[SESSIONS] ? [[SESSIONS, byHand]] : [];
  return Object.assign(
    Object.create(null) as Record<string, Recipient>,
    Object.fromEntries([...declared, ...own]),
  );
}

/** Names of the secrets that the map wants from the environment, with the recipient that wants them. */
export function secretsOf(map: Pick<DataMap, 'recipients'>): { name: string; of: Recipient }[] {
  return Object.values(map.recipients).flatMap((recipient) => {
    const inTemplates = templatesOf(recipient)
      .flatMap(({ text }) => placeholdersIn(text))
      .filter((name) => name.startsWith('secret.'))
      .map((name) => name.slice('secret.'.length));
    const names = recipient.kind === 'webhook' ? [recipient.secret, ...inTemplates] : inTemplates;
    return [...new Set(names)].map((name) => ({ name, of: recipient }));
  });
}

type At = (string | number)[];
type Say = (path: At, message: string) => void;

interface Template {
  at: At;
  text: string;
  isUrl?: boolean;
}

/** Every text of a recipient that may hold placeholders. */
export function templatesOf(recipient: Recipient): Template[] {
  if (recipient.kind === 'manual') return [];
  const request = (
    at: At,
    { url, headers }: { url: string; headers: Record<string, string> },
  ): Template[] => [
    { at: [...at, 'url'], text: url, isUrl: true },
    ...Object.entries(headers).map(([name, text]) => ({ at: [...at, 'headers', name], text })),
  ];
  const verify = recipient.verify ? request(['verify'], recipient.verify) : [];
  if (recipient.kind === 'webhook') return [{ at: ['url'], text: recipient.url, isUrl: true }, ...verify];
  const body = textsIn(recipient.call.body).map((text) => ({ at: ['call', 'body'], text }));
  return [...request(['call'], recipient.call), ...body, ...verify];
}

/** Whether the recipient can be told as declared; what is wrong is said with the way to it. */
export function checkRecipient(map: DataMap, recipient: Recipient, say: Say): void {
  const at = ['recipients', recipient.name];
  for (const kind of recipient.subjects ?? [])
    if (!map.subjects[kind]) say([...at, 'subjects'], `${kind} is not declared under \`subjects\``);
  for (const name of recipient.collections ?? [])
    if (!map.collections[name]) say([...at, 'collections'], `${name} is not declared under \`collections\``);
  const kinds = recipient.subjects ?? Object.keys(map.subjects);
  for (const identifier of recipient.identifiers)
    if (identifier !== 'key' && !kinds.some((kind) => map.subjects[kind]?.identifiers[identifier]))
      say([...at, 'identifiers'], `${identifier} is not an identifier of ${kinds.join(' or ')}`);
  if (recipient.when === 'start' && recipient.scope.includes('workspace'))
    say([...at, 'when'], 'a workspace’s recipients are told at the end');
  for (const { at: way, text, isUrl } of templatesOf(recipient)) {
    if (isUrl) checkUrl(text, [...at, ...way], say);
    if (hasStrayBraces(text))
      say([...at, ...way], 'has braces that are no placeholder, as {{subject.key}} is one');
    for (const name of placeholdersIn(text)) checkPlaceholder(map, recipient, name, [...at, ...way], say);
  }
  if (recipient.kind === 'http' && keysIn(recipient.call.body).some((key) => /\{\{|\}\}/.test(key)))
    say([...at, 'call', 'body'], 'placeholders stand in texts, not in names');
}

/** What a person is called may lead to their own page there, but never to another machine. */
function checkUrl(text: string, at: At, say: Say): void {
  const origin = /^https?:\/\/[^/?#]+/.exec(text)?.[0];
  if (!origin || !URL.canParse(text.replaceAll(/\{\{.*?\}\}/g, 'x')))
    say(at, 'must be a URL that starts with http:// or https://');
  else if (/[{}]/.test(origin)) say(at, 'the host is no place for a placeholder');
  else if (new URL(origin).username || new URL(origin).password || text.includes('#'))
    say(at, 'takes neither a user nor a fragment; send a secret in a header');
}

function checkPlaceholder(map: DataMap, recipient: Recipient, name: string, at: At, say: Say): void {
  const [group = '', field = ''] = name.split('.');
  if (group === 'secret') {
    if (!/^[A-Z][A-Z0-9_]{0,59}$/.test(field))
      say(at, `{{${name}}}: a secret’s name is upper-case letters, digits and _`);
    else if (at.at(-1) === 'url')
      say(at, `{{${name}}}: an address ends up in logs; send a secret in a header`);
    return;
  }
  if (recipient.kind === 'webhook' && at.at(-1) === 'url' && !at.includes('verify')) {
    say(at, `{{${name}}}: a webhook has one address for everybody`);
    return;
  }
  if (group === 'subject') {
    if (recipient.scope.includes('workspace')) say(at, `{{${name}}}: a workspace’s erasure names nobody`);
    else if (field !== 'kind' && !recipient.identifiers.includes(field))
      say(at, `{{${name}}} is not among \`identifiers\``);
    return;
  }
  if (group === 'workspace' && (field === 'id' || field === 'key')) {
    const placed =
      recipient.collections?.every(
        (collection) => (map.collections[collection]?.workspace.length ?? 0) > 0,
      ) ?? !recipient.scope.includes('account');
    if (!placed) say(at, `{{${name}}} needs \`collections\` that all lie in workspaces`);
    return;
  }
  if (!['erasure.id', 'request.id', 'task.id'].includes(name)) say(at, `{{${name}}} is not a placeholder`);
}
