import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';

const bin = new URL('../../bin/habeas.js', import.meta.url).pathname;
const patience = 30_000;

/** The built service as a process of its own, as `npm start` runs it. */
export class ServiceProcess {
  output = '';
  code: number | null | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly home: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.once('close', (code) => (this.code = code));
  }

  static run(home: string, args: string[], environment: NodeJS.ProcessEnv = {}): ServiceProcess {
    // Nothing of the test run's own environment: what a variable is not set to matters here.
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HABEAS_HOME: home,
      PORT: '0',
      ...environment,
    };
    const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return new ServiceProcess(child, home);
  }

  /** The address, once it has printed that it is ready. */
  async ready(): Promise<string> {
    await eventually(() => this.code !== undefined || /"msg":"ready"/.test(this.output), patience);
    if (this.code !== undefined) throw new Error(`it ended with ${this.code ?? 'a signal'}:\n${this.output}`);
    return /Habeas is ready on (\S+)/.exec(this.output)?.[1] ?? '';
  }

  /** The exit code; null after a signal. */
  async ended(): Promise<number | null> {
    await eventually(() => this.code !== undefined, patience);
    return this.code ?? null;
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }

  /** The process id of the Postgres that this home uses. */
  async postgres(): Promise<number> {
    const [pid] = (await readFile(join(this.home, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
    return Number(pid);
  }
}

/** Whether a process runs; one that is dead and not yet buried does not. */
export async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}
