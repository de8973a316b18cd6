import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type TestDesk } from './desk.js';
import { eventually } from './eventually.js';

const root = join(import.meta.dirname, '..', '..');

/** fine: every step; coarse: only those after which the world is another one than before. */
export type Grain = 'fine' | 'coarse';

/** What a worker of another process needs to work beside a TestDesk. */
export interface Situation {
  databaseUrl: string;
  home: string;
  hostHome: string;
  grain: Grain;
  /** A data map other than the demo's. */
  dataMap?: string | undefined;
  /** Names of the only queues whose jobs it takes; absent: all but retention's. */
  only?: readonly string[] | undefined;
}

export interface Orders {
  /** The step at which it dies: of all, or of those of a name. */
  killAt: number | { name: string; nth: number };
  now: string;
}

/** A worker in a process of its own that dies by SIGKILL at a step of its work; see crash-worker.ts. */
export class CrashingWorker {
  private output = '';
  private ended: { signal: NodeJS.Signals | null } | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly desk: TestDesk,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.once('close', (_code, signal) => (this.ended = { signal }));
  }

  /** Starts the process, which then waits for `work`. */
  static boot(desk: TestDesk, grain: Grain, only?: readonly string[]): CrashingWorker {
    const situation: Situation = {
      databaseUrl: desk.db.url,
      home: desk.config.home,
      hostHome: desk.config.home,
      grain,
      dataMap: desk.config.datamapFile,
      only,
    };
    const args = ['--import', './scripts/typescript-loader.js', 'test/support/crash-worker.ts'];
    const child = spawn(process.execPath, [...args, JSON.stringify(situation)], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new CrashingWorker(child, desk);
  }

  /** Takes jobs until the n-th step, where it dies. */
  async work(killAt: Orders['killAt']): Promise<void> {
    await eventually(() => this.ended !== undefined || this.output.includes('booted\n'), 60_000);
    if (this.ended) throw new Error(`the worker did not start:\n${this.output}`);
    const orders: Orders = { killAt, now: this.desk.clock.now().toISOString() };
    this.child.stdin?.write(`${JSON.stringify(orders)}\n`);
  }

  get killed(): boolean {
    return this.ended?.signal === 'SIGKILL';
  }

  /** Every step so far, in order. */
  get steps(): string[] {
    return this.output.split('\n').flatMap((line) => /^\d+ (.+)$/.exec(line)?.[1] ?? []);
  }

  /** Its name, without its number. */
  get lastStep(): string | undefined {
    return this.output
      .split('\n')
      .findLast((line) => /^\d+ /.test(line))
      ?.replace(/^\d+ /, '');
  }

  async stop(): Promise<void> {
    if (!this.ended) this.child.kill('SIGKILL');
    await eventually(() => this.ended !== undefined);
  }
}
