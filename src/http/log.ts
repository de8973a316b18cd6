import { type LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';
import { describeError } from './describe-error.js';
import { requestContext } from './request-context.js';

/** Never logged on purpose; a last net for an object that was passed whole. */
const secrets = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'mail',
  'email',
  'body',
  'query',
  'parameters',
];

/**
 * The log: JSON lines with ids and codes, never values (invariant 10).
 * @param destination stdout when absent
 */
export function createLog({ logLevel }: { logLevel: string }, destination?: DestinationStream): Logger {
  const options = {
    level: logLevel,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => ({ ...requestContext.getStore() }),
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[left out]' },
    serializers: { err: describeError, error: describeError, req: nothing, res: nothing },
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { logMethod: withoutErrorMessage },
  };
  return destination ? pino(options, destination) : pino(options);
}

const nothing = () => undefined;

/** pino takes an error's message for the line's when there is none, and prints it; it may quote a value. */
function withoutErrorMessage(this: Logger, args: unknown[], method: (...args: never[]) => void): void {
  const [first, text] = args;
  const error = first instanceof Error ? first : undefined;
  const hasError = error !== undefined || (isRecord(first) && first.err instanceof Error);
  const line = hasError ? [error ? { err: error } : first, typeof text === 'string' ? text : 'error'] : args;
  method.apply(this, line as never[]);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Nest tells at length what it wires; that is for whoever looks for it. */
const chatter = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/** Lets `new Logger('Sweeps')` of @nestjs/common write into the same log: pass an object of ids, or an error. */
export class NestLog implements LoggerService {
  constructor(private readonly sink: Logger) {}

  verbose = (message: unknown, ...rest: unknown[]) => this.write('trace', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  log = (message: unknown, ...rest: unknown[]) => this.write('info', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.write('warn', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.write('error', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.write('fatal', message, rest);

  private write(level: Level, message: unknown, rest: unknown[]): void {
    // Nest's logger passes its name last, and an error's stack before it, which begins with the message.
    const texts = [message, ...rest].filter((part) => typeof part === 'string' && !part.includes('\n'));
    const context = texts.length > 1 || typeof message !== 'string' ? texts.pop() : undefined;
    const error = [message, ...rest].find((part) => part instanceof Error);
    const about = {
      ...(context !== undefined && { context }),
      ...(error !== undefined && { err: error }),
      ...(isRecord(message) && !(message instanceof Error) && message),
    };
    const quiet = level === 'info' && typeof context === 'string' && chatter.has(context);
    this.sink[quiet ? 'debug' : level](about, texts[0] as string | undefined);
  }
}
