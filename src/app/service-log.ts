import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Logger, multistream } from 'pino';
import { type Config } from '../config.js';
import { createLog } from '../http/log.js';
import { makeHome } from './home.js';

export interface ServiceLog {
  log: Logger;
  /** The file it goes to, where that is not stdout. */
  file?: string;
}

/**
 * JSON lines on stdout, where whatever runs the service collects them. Somebody trying it out at a terminal gets
 * them in a file instead, and sees there what matters to a person.
 */
export function openLog(config: Config): ServiceLog {
  if (config.production || !process.stdout.isTTY) return { log: createLog(config) };
  makeHome(config);
  const file = join(config.home, 'habeas.log');
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  const loud = { write: (line: string) => void process.stderr.write(`${plain(line)}\n`) };
  const both = multistream([
    { level: 'trace', stream },
    { level: 'warn', stream: loud },
  ]);
  return { log: createLog(config, both), file };
}

function plain(line: string): string {
  const { level, msg, code } = JSON.parse(line) as { level: string; msg?: string; code?: string };
  return `  ${level}: ${msg ?? ''}${code ? ` [${code}]` : ''}`;
}
