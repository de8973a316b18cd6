import { parse as parseForm } from 'node:querystring';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { DomainError } from '../errors.js';

const MAX_DEPTH = 32;

/** JSON everywhere; HTML forms only where a route opts in with @AcceptForms; nothing else. */
export function acceptBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (_request, text, done) =>
    settle(done, () => parseJson(text)),
  );
  server.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (request, text, done) => settle(done, () => parsePage(request, text)),
  );
}

/** An empty body is no body: a POST that needs none may still name its type. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DomainError('input.malformed_json', 'The body is not JSON.');
  }
  checkKeys(text);
  checkTexts(value);
  return value;
}

/**
 * What JSON can write and a database cannot keep: NUL, and halves of a character (lone surrogates). Told here once,
 * so that no field can forget it. Not deep: checkKeys was here before.
 */
function checkTexts(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed())
      throw new DomainError('input.not_text', 'A text of the body holds NUL or half a character.');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      checkTexts(key);
      checkTexts(inner);
    }
  }
}

function parsePage(request: FastifyRequest, text: string): unknown {
  if (!request.routeOptions.config.acceptsForms) throw notJson();
  const form = parseForm(text);
  if (Object.values(form).some(Array.isArray)) throw duplicateKey();
  return { ...form };
}

const notJson = () => new DomainError('input.media_type', 'Send the body as application/json.');

const duplicateKey = () =>
  new DomainError(
    'input.duplicate_key',
    'The body names a field twice, and readers disagree on which counts.',
  );

/**
 * Refuses what JSON.parse lets pass: a field named twice (the last would win here, the first in a proxy that
 * checks), `__proto__`, and nesting that a recursive reader could not follow.
 * @param json known to be valid
 */
function checkKeys(json: string): void {
  const open: (Set<string> | null)[] = [];
  let keyIsNext = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      keyIsNext = character === '{';
      if (open.length > MAX_DEPTH) throw new DomainError('input.too_deep', 'The body is nested too deeply.');
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      keyIsNext = open.at(-1) != null;
    } else if (character === '"') {
      const end = endOfString(json, at);
      if (keyIsNext) remember(open.at(-1), JSON.parse(json.slice(at, end + 1)) as string);
      keyIsNext = false;
      at = end;
    }
  }
}

function remember(keys: Set<string> | null | undefined, key: string): void {
  if (key === '__proto__') throw new DomainError('input.forbidden_key', 'The body names a forbidden field.');
  if (keys?.has(key)) throw duplicateKey();
  keys?.add(key);
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

function settle(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  let body: unknown;
  try {
    body = parse();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, body);
}
