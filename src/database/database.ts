import { DataSource, type QueryRunner } from 'typeorm';
import { messageOf } from '../errors.js';
import { HOST_TENANT, systemTenancy, type SubjectRef, type Tenancy } from './tenancy.js';
import { UnitOfWork, type SqlRunner } from './unit-of-work.js';

interface WorkOptions {
  /** REPEATABLE READ gives one snapshot for everything the work reads. */
  isolation?: 'READ COMMITTED' | 'REPEATABLE READ';
  /** Milliseconds that one statement may take; 0 for no limit. Default 30 s. */
  statementTimeout?: number;
}

/** The only way to the database: every statement runs in a transaction, in a tenancy, under a narrow role. */
export class Database {
  private constructor(private readonly source: DataSource) {}

  /**
   * Connects as the service's login role.
   * @param poolSize connections at the most
   */
  static async connect(url: string, poolSize = 10): Promise<Database> {
    const source = new DataSource({
      type: 'postgres',
      url,
      schema: 'habeas',
      synchronize: false,
      logging: false,
      poolSize,
      applicationName: 'habeas',
      // A connection that the server closes while idle must not end the process; the next query gets another.
      poolErrorHandler: () => undefined,
      extra: { connectionTimeoutMillis: 10_000 },
    });
    await source.initialize();
    return new Database(source);
  }

  /** One transaction in a tenancy: committed when `work` resolves, rolled back when it throws. */
  within<T>(tenancy: Tenancy, work: (tx: UnitOfWork) => Promise<T>, options: WorkOptions = {}): Promise<T> {
    return this.transaction(
      (runner) => new UnitOfWork(tenancy, runner, { role: 'habeas_app', workspace: tenancy.tenant }),
      work,
      options,
    );
  }

  /** The same for work that nobody asked for just now: a queue's, a sweep's. The log names the job. */
  asJob<T>(
    tenant: string,
    job: string,
    work: (tx: UnitOfWork) => Promise<T>,
    options: WorkOptions = {},
  ): Promise<T> {
    return this.within(systemTenancy(tenant, job), work, options);
  }

  /** Reads a person's own rows across tenants; which columns, the role's grants say. */
  asSelf<T>(self: SubjectRef, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    const tenancy: Tenancy = { tenant: HOST_TENANT, actor: { type: 'person', subject: self } };
    return this.transaction(
      (runner) => new UnitOfWork(tenancy, runner, { role: 'habeas_self', selves: [self] }),
      work,
    );
  }

  /** Reads request metadata across tenants, for staff. */
  asDesk<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transaction(
      (runner) => new UnitOfWork(systemTenancy('', 'desk'), runner, { role: 'habeas_desk' }),
      work,
    );
  }

  /** Reads ids and due times across tenants, for sweeps. */
  asSweep<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transaction(
      (runner) => new UnitOfWork(systemTenancy('', 'sweep'), runner, { role: 'habeas_sweep' }),
      work,
    );
  }

  /** Reads host tables outside any tenant's matter, e.g. who a signed-in person is. */
  asHost<T>(work: (host: SqlRunner) => Promise<T>): Promise<T> {
    return this.transaction(
      (runner) => new UnitOfWork(systemTenancy('', 'host'), runner, { role: 'habeas_host' }),
      work,
    );
  }

  /** Statements of the queue, which keeps its own tables and its own transactions. */
  async queueSql(text: string, values: unknown[] = []): Promise<{ rows: unknown[] }> {
    const runner = this.source.createQueryRunner();
    try {
      const result: unknown = await runner.query(text, values, true);
      return { rows: (result as { records?: unknown[] }).records ?? [] };
    } finally {
      await runner.release();
    }
  }

  /** `18.4` and the like, for the version warning and /readyz. Throws when the database does not answer. */
  async serverVersion(): Promise<string> {
    const { rows } = await this.queueSql('show server_version');
    return (rows[0] as { server_version: string }).server_version;
  }

  async close(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }

  private async transaction<T>(
    start: (runner: QueryRunner) => UnitOfWork,
    work: (tx: UnitOfWork) => Promise<T>,
    { isolation = 'READ COMMITTED', statementTimeout = 30_000 }: WorkOptions = {},
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    const tx = start(runner);
    let result: T;
    try {
      await runner.startTransaction(isolation);
      await tx.query(`select set_config('statement_timeout', $1, true)`, [String(statementTimeout)]);
      result = await work(tx);
      await tx.beforeCommit();
      await runner.commitTransaction();
    } catch (error) {
      // A dead connection cannot roll back; the server has done so, and the first error is the one to tell.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release().catch((error: unknown) => void messageOf(error));
    }
    tx.committed();
    return result;
  }
}
