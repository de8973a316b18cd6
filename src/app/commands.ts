import { randomBytes } from 'node:crypto';
import { Command, Help, type Option } from 'commander';
import { type Logger } from 'pino';
import { type Config, readConfig } from '../config.js';
import { type Report } from '../datamap/datamap.cli.js';
import { messageOf } from '../errors.js';
import { openServer } from './database-server.js';
import { layFoundation } from './foundation.js';
import { claimPort } from './port.js';
import { type Duties, type Service } from './service.js';
import { openLog } from './service-log.js';
import { runUntilTold } from './until-told.js';
import { welcome } from './welcome.js';

/** The command line: each command answers its exit code through `exit`. */
export function commandLine(exit: (code: number) => void): Command {
  const program = new Command('habeas')
    .description(
      'The data-rights desk for any product on Postgres. Configured by environment variables: see README.md.',
    )
    .showHelpAfterError()
    .configureHelp({ optionDescription });

  program
    .command('serve', { isDefault: false })
    .description('answer HTTP, do the jobs and ring the sweeps, until Ctrl-C')
    .option('--no-worker', 'only answer HTTP: jobs and sweeps are for `habeas worker` elsewhere')
    .action(async ({ worker }: { worker: boolean }) => exit(await serve({ web: true, work: worker })));
  program
    .command('worker')
    .description('do the jobs and ring the sweeps, without HTTP')
    .action(async () => exit(await serve({ web: false, work: true })));
  program
    .command('migrate')
    .description('bring the database to the newest schema (MIGRATION_DATABASE_URL)')
    .action(async () => exit(await migrateNow()));
  program
    .command('sweep')
    .description('run every sweep once: expiry, reminders, deadlines; for a scheduler of your own')
    .action(async () => exit(await sweepOnce()));

  const datamap = program
    .command('datamap')
    .description('the data map: what your product stores about people');
  const report = (name: string, says: string, make: () => Promise<Report> | Report) =>
    datamap
      .command(name)
      .description(says)
      .action(async () => {
        const { text, exitCode } = await make();
        process.stdout.write(text);
        exit(exitCode);
      });
  report('check', 'hold DATAMAP against the database; exit code 1 if it does not fit', () =>
    hostReports().then(({ checkHost }) => checkHost(readConfig())),
  );
  datamap
    .command('grants')
    .description('print the SQL that the owner of your tables runs for Habeas')
    .option(
      '--no-residue',
      'leave out the right to read tables that are neither mapped nor exempt; erasures then end on the desk',
    )
    .action(async (options: { residue: boolean }) => {
      const { text, exitCode } = await (await hostReports()).grantsForHost(readConfig(), options);
      process.stdout.write(text);
      exit(exitCode);
    });
  report('schema', 'print the JSON Schema of the file, for editors', async () =>
    (await import('../datamap/datamap.cli.js')).schemaReport(),
  );
  datamap
    .command('workspace')
    .description('print the id by which Habeas knows a workspace of yours')
    .argument('<key>', 'its key in your own table')
    .action(async (key: string) => {
      const { workspaceReport } = await import('../datamap/datamap.cli.js');
      process.stdout.write(workspaceReport(key).text);
      exit(0);
    });

  program
    .command('certificate')
    .description('certificates of erasures')
    .command('verify')
    .description('check a certificate, offline; exit code 1 if it does not hold')
    .argument('<file>', 'the certificate')
    .requiredOption('--key <file>', 'the issuer’s public keys: a file, or the https address of one')
    .action(async (file: string, { key }: { key: string }) => {
      const { verifyCertificate } = await import('../deletion/certificate/certificate.cli.js');
      const { text, exitCode } = await verifyCertificate(file, key);
      process.stdout.write(text);
      exit(exitCode);
    });

  const erasures = program
    .command('erasures')
    .description('the ledger of erasures, for after a restore from a backup');
  erasures
    .command('plan')
    .description('list the erasures that a restore has undone; exit code 1 if there are any')
    .option('--since <moment>', 'when the backup was begun (ISO 8601): whoever was erased before is left out')
    .action(async ({ since }: { since?: string }) => {
      const { planErasures } = await import('./erasure-ledger.js');
      const { text, exitCode } = await planErasures(readConfig(), since);
      process.stdout.write(text);
      exit(exitCode);
    });
  erasures
    .command('replay')
    .description('erase again what a restore has brought back; exit code 1 if something is left')
    .requiredOption('--since <moment>', 'when the backup was begun (ISO 8601): 2026-11-20T04:00:00Z')
    .option('--only <id...>', 'these erasures alone, the doubtful among them too')
    .action(async (options: { since: string; only?: string[] }) => {
      const { replayErasures } = await import('./erasure-ledger.js');
      const write = (text: string) => void process.stdout.write(text);
      exit(await replayErasures(readConfig(), { ...options, write }));
    });

  program
    .command('keys')
    .description('keys of this installation')
    .command('generate')
    .description('print new keys, for your secret store; nothing is kept')
    .action(() => {
      for (const name of ['MASTER_KEY', 'SIGNING_KEY'])
        process.stdout.write(`${name}=${randomBytes(32).toString('base64')}\n`);
      exit(0);
    });
  return program;
}

/** Commander keeps to itself which options may not be left out. */
function optionDescription(option: Option): string {
  const words = new Help().optionDescription(option);
  return option.mandatory ? `${words} (required)` : words;
}

async function serve(duties: Duties): Promise<number> {
  const config = duties.web ? await claimPort(readConfig()) : readConfig();
  const { log, file } = openLog(config);
  const start = async () => {
    const service = await startService(config, log, duties);
    const took = performance.now();
    log.info({ ms: Math.round(took), ...duties, url: duties.web ? config.publicUrl : undefined }, 'ready');
    if (!config.production && duties.web) process.stdout.write(welcome({ config, took, logFile: file }));
    return service;
  };
  return runUntilTold(start, log);
}

// A command loads what it needs: Nest and all of the service take longer than most commands do.
const hostReports = () => import('./host-reports.js');

async function startService(config: Config, log: Logger, duties: Duties): Promise<Service> {
  const foundation = layFoundation(config, log);
  const { Service } = await import('./service.js');
  return Service.start(foundation, duties);
}

async function migrateNow(): Promise<number> {
  const server = await openServer(readConfig());
  await server.stop();
  const said =
    server.applied.length > 0 ? server.applied.join('\n') : 'Nothing to do: the schema is the newest.';
  process.stdout.write(`${said}\n`);
  return 0;
}

async function sweepOnce(): Promise<number> {
  const config = readConfig();
  const service = await startService(config, openLog(config).log, { web: false, work: false });
  try {
    const outcomes = await service.sweep();
    for (const { name, error } of outcomes)
      process.stdout.write(`${name}: ${error === undefined ? 'done' : `failed (${messageOf(error)})`}\n`);
    return outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
  } finally {
    await service.stop();
  }
}
