import { randomInt } from 'node:crypto';
import pg from 'pg';
import { type TestDatabase } from './database.js';
import { eventually } from './eventually.js';

const PATIENCE = 20_000;

/** A gate behind a table: whoever has written to it stands there, with all its locks, until the gate is opened for good. */
export class Gate {
  private isShut = true;

  private constructor(
    private readonly db: TestDatabase,
    private readonly number: number,
    private readonly keeper: pg.Client,
  ) {}

  static async shut(db: TestDatabase, table: string, written: 'insert' | 'update' | 'delete'): Promise<Gate> {
    const number = randomInt(1, 2 ** 31);
    const keeper = new pg.Client({ connectionString: db.ownerUrl });
    await keeper.connect();
    await keeper.query('select pg_advisory_lock(0, $1)', [number]);
    // A batch that takes locks for a moment only is patient here.
    await keeper.query(`
      create function public.gate_${number}() returns trigger language plpgsql set lock_timeout = 0 as $$ begin
        perform pg_advisory_xact_lock_shared(0, ${number}); return null; end $$;
      create trigger gate_${number} after ${written} on ${table}
        for each statement execute function public.gate_${number}()`);
    return new Gate(db, number, keeper);
  }

  /** Once somebody stands there. */
  reached(): Promise<unknown> {
    return eventually(async () => (await this.db.behindTheScenes(this.standing)).length > 0, PATIENCE);
  }

  /** Once somebody else waits for a lock of whoever stands there. */
  queued(): Promise<unknown> {
    const waiting = `select 1 from pg_stat_activity where datname = current_database()
      and pg_blocking_pids(pid) && array(${this.standing})`;
    return eventually(async () => (await this.db.behindTheScenes(waiting)).length > 0, PATIENCE);
  }

  async open(): Promise<void> {
    if (!this.isShut) return;
    this.isShut = false;
    await this.keeper.query('select pg_advisory_unlock(0, $1)', [this.number]);
  }

  async remove(): Promise<void> {
    await this.open();
    await this.keeper
      .query(`drop function public.gate_${this.number} cascade`)
      .finally(() => this.keeper.end());
  }

  private get standing(): string {
    return `select pid from pg_locks where locktype = 'advisory' and not granted and classid = 0 and objid = ${this.number}
      and objsubid = 2 and database = (select oid from pg_database where datname = current_database())`;
  }
}
