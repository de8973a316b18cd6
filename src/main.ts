import { commandLine } from './app/commands.js';
import { DomainError } from './errors.js';

/** Runs one command and ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  let code = 0;
  try {
    await commandLine((given) => (code = given)).parseAsync([...args], { from: 'user' });
  } catch (error) {
    // Our own sentences are for the operator as they are; anything else is a fault of ours, and its stack helps.
    process.stderr.write(`${error instanceof DomainError ? `\n${error.message}\n` : stackOf(error)}\n`);
    code = 1;
  }
  // Whatever is still open now (a keep-alive connection, a timer of a library) has no say any more.
  process.exit(code);
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
