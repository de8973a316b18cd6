import { type Client } from 'pg';
import { type QueryRunner } from 'typeorm';
import { CopyOut } from './copy-out.js';
import { type SubjectRef, type Tenancy } from './tenancy.js';

/** Anything that runs one statement and answers its rows. */
export interface SqlRunner {
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** The database roles that a transaction may take on; see roles.sql. */
export type DatabaseRole =
  'habeas_app' | 'habeas_self' | 'habeas_desk' | 'habeas_sweep' | 'habeas_residue' | 'habeas_host';

const takeOn = /* transaction-local, so that a pooled connection never carries it on */ `
  select set_config('role', $1, true),
         set_config('row_security', $2, true),
         set_config('habeas.workspace', $3, true),
         set_config('habeas.selves', $4, true)`;

interface Guise {
  role: DatabaseRole;
  workspace?: string;
  /** The subjects that one human is. */
  selves?: readonly SubjectRef[];
}

/**
 * One transaction in one tenancy: tenant, role, change and audit record together. One connection, one query at
 * a time: never `Promise.all` over it.
 */
export class UnitOfWork implements SqlRunner {
  /** As what the next statement is to run. */
  private guise: Guise;
  /** As what the connection runs. Behind `guise` until a statement comes: much is stepped into and left without one. */
  private worn: Guise | undefined;
  private isBusy = false;
  /** Of the last statement: the transaction is aborted, and COMMIT would roll it back without a word. */
  private failure: Error | undefined;
  private readonly afterCommits: (() => void)[] = [];

  constructor(
    readonly tenancy: Tenancy,
    private readonly runner: QueryRunner,
    first: Guise,
  ) {
    this.guise = first;
  }

  /**
   * Streams a COPY … TO STDOUT, as the current role; `rowCount` holds COPY's own count once it has ended. Read it
   * to its end before the next statement. One that is given up cannot be rolled back over the same connection
   * (the server still sends), so the connection is cut and the server rolls back by itself.
   */
  async copyOut(statement: string): Promise<CopyOut> {
    await this.alone(() => Promise.resolve());
    const client = (await this.runner.connect()) as Client & { connection: { stream: { destroy(): void } } };
    const stream = client.query(new CopyOut(statement));
    stream.once('close', () => {
      if (!stream.over) client.connection.stream.destroy();
    });
    return stream;
  }

  /** The tenant whose rows are seen right now: the tenancy's, or the one stepped into. */
  get tenant(): string {
    return this.guise.workspace ?? '';
  }

  async query<Row = Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.alone(() => this.send<Row>(sql, values));
  }

  /** The only row, or undefined. */
  async one<Row = Record<string, unknown>>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0];
  }

  /**
   * Called by Database: back in the first role, because what was deferred runs at COMMIT.
   * @throws what the last statement failed with, if somebody has passed over it
   */
  async beforeCommit(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    await this.alone(() => Promise.resolve());
  }

  /**
   * Steps into another tenant for the length of `work`, in the same transaction: a request writes each part's
   * row and event in the part's own tenant, all or nothing. Row-level security keeps holding in there.
   */
  inTenant<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    const { role, workspace } = this.guise;
    if (role === 'habeas_app' && workspace === tenant) return work();
    return this.disguised({ role: 'habeas_app', workspace: tenant }, work);
  }

  /**
   * Reads or erases host tables. Within, habeas's own tables are out of reach, and row_security is off, so that
   * Postgres raises where a policy would silently hide rows (invariant 9).
   */
  asHost<T>(work: (host: SqlRunner) => Promise<T>): Promise<T> {
    return this.disguised({ role: 'habeas_host' }, () => work(this));
  }

  /** Reads one person's own rows, whatever their tenant; a person may be several subjects. */
  asSelf<T>(selves: readonly SubjectRef[], work: (own: SqlRunner) => Promise<T>): Promise<T> {
    return this.disguised({ role: 'habeas_self', selves }, () => work(this));
  }

  /**
   * Work that may fail without taking the transaction down: what it wrote is undone, and `otherwise` answers for it.
   * Savepoints that span a change of role belong here alone: any other would leave `worn` untrue.
   * @param otherwise gets the error; throws it again where it is not one to live with
   */
  async attempt<T>(work: () => Promise<T>, otherwise: (error: unknown) => T): Promise<T> {
    const { guise } = this;
    await this.query('savepoint attempt');
    try {
      const result = await work();
      await this.query('release savepoint attempt');
      return result;
    } catch (error) {
      // Brings role and tenant back too, as they were; nothing can be set before it.
      await this.send('rollback to savepoint attempt');
      this.worn = guise;
      // Else one around it would find this one by its name, and undo only what came after.
      await this.send('release savepoint attempt');
      return otherwise(error);
    }
  }

  /** Reads Habeas's own tables whatever the tenant, to see whether anything of an erased person is left. */
  asResidueSearch<T>(work: (own: SqlRunner) => Promise<T>): Promise<T> {
    return this.disguised({ role: 'habeas_residue' }, () => work(this));
  }

  /** Runs once this transaction has committed; not at all if it rolls back. Must not throw. */
  afterCommit(callback: () => void): void {
    this.afterCommits.push(callback);
  }

  /** Called by Database after COMMIT. */
  committed(): void {
    for (const callback of this.afterCommits) callback();
  }

  private async disguised<T>(guise: Guise, work: () => Promise<T>): Promise<T> {
    const before = this.guise;
    this.guise = guise;
    try {
      return await work();
    } finally {
      this.guise = before;
    }
  }

  /** One statement at a time: another one beside it would run as whatever this one has taken on. */
  private async alone<T>(statement: () => Promise<T>): Promise<T> {
    if (this.isBusy) throw new Error('A unit of work runs one statement at a time.');
    this.isBusy = true;
    try {
      await this.wear(this.guise);
      return await statement();
    } finally {
      this.isBusy = false;
    }
  }

  private async wear(guise: Guise): Promise<void> {
    if (this.worn === guise) return;
    const rowSecurity = guise.role === 'habeas_host' ? 'off' : 'on';
    await this.send(takeOn, [
      guise.role,
      rowSecurity,
      guise.workspace ?? '',
      guise.selves ? JSON.stringify(guise.selves.map(({ kind, key }) => [kind, key])) : '',
    ]);
    this.worn = guise;
  }

  private async send<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      const result: unknown = await this.runner.query(sql, [...values], true);
      this.failure = undefined;
      return (result as { records?: Row[] }).records ?? [];
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}
