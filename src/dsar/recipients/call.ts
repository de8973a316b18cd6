/** How a recipient is told, and asked whether it has done what it was told. */
import { DomainError } from '../../errors.js';
import { type Recipient } from '../../datamap/map.js';
import { fillHeader, fillJson, fillUrl, type Values } from '../../datamap/placeholders.js';
import { outgoing, type OutgoingCall } from '../../http/outgoing.js';
import { type Reach } from '../../http/outgoing-address.js';
import { payload, signedPost } from '../../webhooks/signed-post.js';
import { type Facts, type RecipientTask } from './recipient.js';

export interface Surroundings {
  reach: Reach;
  /** By the name that the map gives them. */
  secrets: Readonly<Record<string, string>>;
  /** When this attempt is made. */
  at: Date;
  /** Milliseconds after which nobody else is begun with; the next attempt goes on there. */
  longest: number;
}

/** How far an attempt came; without a code it is through. `final`: another attempt finds the same. */
export interface Attempted {
  through: number;
  code?: string;
  refused?: boolean;
  final?: boolean;
}

type Request = { method: OutgoingCall['method']; url: string; headers: Record<string, string> };

/** Tells everybody's erasure that the task is about; never throws for what the other side does. */
export function tell(
  task: RecipientTask,
  recipient: Recipient,
  facts: Facts,
  around: Surroundings,
): Promise<Attempted> {
  if (recipient.kind === 'webhook')
    return each(1, 0, around.longest, async () => {
      const body = messageOf(task, facts);
      const secret = around.secrets[recipient.secret] ?? '';
      const { url } = recipient;
      const { status } = await signedPost({
        url,
        secret,
        id: task.id,
        at: around.at,
        body,
        reach: around.reach,
      });
      return answered(status, isOk);
    });
  if (recipient.kind !== 'http') throw new Error(`${recipient.kind} is not called`);
  const { call } = recipient;
  const isTaken = call.expect ? among(call.expect.status) : call.method === 'DELETE' ? isOkOrGone : isOk;
  return each(facts.people.length || 1, facts.through, around.longest, async (n) => {
    const values = valuesOf(task, facts, n, around);
    const body = call.body === undefined ? {} : { body: JSON.stringify(fillJson(call.body, values)) };
    // The same in every attempt: a worker may die between the call and its note of it.
    const more = {
      'idempotency-key': `${task.id}-${n}`,
      ...(call.body !== undefined && { 'content-type': 'application/json' }),
    };
    return answered(await send(call, values, around, more, body), isTaken);
  });
}

/** Asks whether the data is gone there, person by person. */
export function verify(
  task: RecipientTask,
  recipient: Recipient,
  facts: Facts,
  around: Surroundings,
): Promise<Attempted> {
  const check = recipient.kind === 'manual' ? undefined : recipient.verify;
  if (!check) throw new Error('nothing to ask');
  return each(facts.people.length || 1, facts.through, around.longest, async (n) =>
    answered(await send(check, valuesOf(task, facts, n, around), around), among(check.expect.status)),
  );
}

async function send(
  { method, url, headers }: Request,
  values: Values,
  { reach }: Surroundings,
  more: Record<string, string> = {},
  body: { body?: string } = {},
): Promise<number> {
  const own = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), fillHeader(text, values)]);
  const all = { accept: 'application/json', ...more, ...Object.fromEntries(own) } as Record<string, string>;
  return (await outgoing(fillUrl(url, values), { method, headers: all, ...body, reach })).status;
}

async function each(
  count: number,
  from: number,
  longest: number,
  work: (n: number) => Promise<Omit<Attempted, 'through'>>,
): Promise<Attempted> {
  const began = performance.now();
  for (let through = from; through < count; through++) {
    if (through > from && performance.now() - began > longest)
      return { code: 'recipient.unfinished', through };
    const outcome = await work(through).catch(failureOf);
    if (outcome.code !== undefined) return { ...outcome, through };
  }
  return { through: 0 };
}

/** What was thrown on the way, as a code: whatever else it says may quote an address. */
function failureOf(error: unknown): Omit<Attempted, 'through'> {
  if (!(error instanceof DomainError)) return { code: 'recipient.not_called' };
  const ours = error.code.startsWith('recipient.value_') || error.code === 'outgoing.url_refused';
  return { code: error.code, ...(ours && { final: true }) };
}

const isOk = (status: number) => status >= 200 && status < 300;
const isOkOrGone = (status: number) => isOk(status) || status === 404 || status === 410;
const among = (statuses: readonly number[]) => (status: number) => statuses.includes(status);

/** 408, 425 and 429 ask for patience; all other answers below 500 are a no that somebody has to look at. */
const answered = (status: number, isTaken: (status: number) => boolean): Omit<Attempted, 'through'> =>
  isTaken(status)
    ? {}
    : { code: `recipient.answered_${status}`, refused: status < 500 && ![408, 425, 429].includes(status) };

const messageOf = ({ erasureId, requestId, openedAt }: RecipientTask, { people, workspace }: Facts): string =>
  payload(people.length > 0 ? 'person.erased' : 'workspace.erased', openedAt, {
    erasureId,
    requestId,
    ...(workspace && { workspaceId: workspace.id, workspaceKey: workspace.key }),
    ...(people.length > 0 && { people: people.map(({ kind, values }) => ({ kind, ...values })) }),
  });

function valuesOf(
  task: RecipientTask,
  { people, workspace }: Facts,
  n: number,
  { secrets }: Surroundings,
): Values {
  const person = people[n];
  const named = (group: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => [`${group}.${name}`, value]);
  return Object.fromEntries([
    ...named('secret', secrets),
    ...named('subject', { ...person?.values, ...(person && { kind: person.kind }) }),
    ...named('workspace', { ...workspace }),
    ...named('erasure', { id: task.erasureId }),
    ...named('request', { id: task.requestId }),
    ...named('task', { id: task.id }),
  ]) as Values;
}
