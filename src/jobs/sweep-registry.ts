/** One round over everything that is due, which any number of instances may run at once. */
export type Sweep = () => Promise<unknown>;

export interface SweepOutcome {
  name: string;
  /** What the round threw; the others ran nevertheless. */
  error?: unknown;
  /** The last round of this process has not ended yet, so that it was left to it. */
  skipped?: true;
}

/** The sweeps of all modules. Upper layers register theirs; the bell and `habeas sweep` run them. */
export class SweepRegistry {
  private readonly sweeps = new Map<string, Sweep>();
  private readonly running = new Set<string>();

  register(name: string, sweep: Sweep): void {
    if (this.sweeps.has(name)) throw new Error(`there are two sweeps called ${name}`);
    this.sweeps.set(name, sweep);
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
      await sweep();
      return { name };
    } catch (error) {
      return { name, error };
    } finally {
      this.running.delete(name);
    }
  }
}
