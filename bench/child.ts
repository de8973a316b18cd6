import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A file beside this one, run as a process of its own. */
export class Child {
  private readonly process: ChildProcess;
  private readonly gone: Promise<unknown>;

  /** @param module as in `import.meta.filename`'s folder, without its ending */
  constructor(module: string) {
    this.process = fork(import.meta.filename.replace(/child\.(ts|js)$/, `${module}.$1`));
    this.gone = once(this.process, 'exit').then(([code]: unknown[]) => ({
      failed: `the process died (${typeof code === 'number' ? code : 'killed'})`,
    }));
  }

  /** Hands over one message and waits for the answer. @throws Error what the process says in `failed` */
  async ask<Answer>(message: object): Promise<Answer> {
    const answered = once(this.process, 'message').then(([answer]: unknown[]) => answer);
    this.process.send(message);
    const answer = (await Promise.race([answered, this.gone])) as { failed?: string };
    if (answer.failed) throw new Error(answer.failed);
    return answer as Answer;
  }

  async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    await this.gone;
  }
}
