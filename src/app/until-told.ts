import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from 'pino';

/** Longer than the queue waits for its jobs and Postgres for its shutdown. */
const GIVE_UP_MS = 45_000;

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Runs something until a signal, or an error that nobody caught, ends it. Later signals change nothing: npm and
 * the terminal both pass Ctrl-C on, so that one of them often comes twice.
 * @param start may still be at work when the signal comes; it is let finish, so that nothing is left half open
 * @returns the exit code
 */
export async function runUntilTold(start: () => Promise<Stoppable>, log: Logger): Promise<number> {
  let told: (code: number) => void = () => undefined;
  const end = new Promise<number>((resolve) => (told = resolve));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told(0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'nobody caught this; the service stops');
    told(1);
  });
  // A closed terminal must not turn the last words into an error of their own.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  const running = await start();
  const code = await end;
  await Promise.race([running.stop(), sleep(GIVE_UP_MS, undefined, { ref: false })]);
  return code;
}
