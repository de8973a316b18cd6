import pg from 'pg';

const EVERY = 20;

// pg_locks knows since when a lock is waited for; waits shorter than two looks apart may be missed, and do not matter.
const longest = `
  select coalesce(max(extract(epoch from clock_timestamp() - waitstart) * 1000), 0)::float8 as ms
  from pg_locks where not granted and waitstart is not null`;

/** Looks at the server's lock waits, whoever's they are, until stopped. */
export class LockWaits {
  private longestMs = 0;
  private over = false;
  private ending: Promise<void> | undefined;
  private looking: Promise<void> | undefined;

  private constructor(private readonly client: pg.Client) {}

  static async watch(ownerUrl: string): Promise<LockWaits> {
    const client = new pg.Client({ connectionString: ownerUrl });
    await client.connect();
    const waits = new LockWaits(client);
    waits.looking = waits.look();
    return waits;
  }

  /** Once or again. @returns the longest wait seen, in milliseconds; 0 where nobody was seen waiting */
  async stop(): Promise<number> {
    this.over = true;
    await this.looking;
    await (this.ending ??= this.client.end());
    return this.longestMs;
  }

  private async look(): Promise<void> {
    while (!this.over) {
      const { rows } = await this.client.query<{ ms: number }>({ name: 'longest', text: longest });
      this.longestMs = Math.max(this.longestMs, rows[0]?.ms ?? 0);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }
}
