/** One round over everything that is due, which any number of instances may run at once. */
export type Sweep = () => Promise<unknown>;

export interface SweepOutcome {
  name: string;
  /** What the round threw; the others ran nevertheless. */
  error?: unknown;
  /** The last round of this process has not ended yet, so that it was left to it. */
  skipped?: true;
}

/** Learns how a round ended; `error` is undefined when it went through. */
type RoundListener = (name: string, error: unknown) => Promise<void>;

/** The sweeps of all modules. Upper layers register theirs; the bell and `habeas sweep` run them. */
export class SweepRegistry {
  private readonly sweeps = new Map<string, Sweep>();
  private readonly running = new Set<string>();
  private readonly listeners: RoundListener[] = [];

  register(name: string, sweep: Sweep): void {
    if (this.sweeps.has(name)) throw new Error(`there are two sweeps called ${name}`);
    this.sweeps.set(name, sweep);
  }

  /** Who wants to know how each round ended. What a listener throws is the round's error, if it has no other. */
  onEnded(listener: RoundListener): void {
    this.listeners.push(listener);
  }

  get names(): string[] {
    return [...this.sweeps.keys()];
  }

  /** Runs each once, one after the other: none is urgent, and all share the pool with people's calls. */
  async runAll(): Promise<SweepOutcome[]> {
    const outcomes: SweepOutcome[] = [];
    for (const [name, sweep] of this.sweeps) outcomes.push(await this.run(name, sweep));
    return outcomes;
  }

  private async run(name: string, sweep: Sweep): Promise<SweepOutcome> {
    if (this.running.has(name)) return { name, skipped: true };
    this.running.add(name);
    try {
      const error = await failureOf(sweep);
      const unheard = await failureOf(() => this.tell(name, error));
      return (error ?? unheard) === undefined ? { name } : { name, error: error ?? unheard };
    } finally {
      this.running.delete(name);
    }
  }

  private async tell(name: string, error: unknown): Promise<void> {
    for (const listener of this.listeners) await listener(name, error);
  }
}

async function failureOf(work: Sweep): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error('a sweep threw nothing');
  }
}
