import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration } from 'luxon';
import { z } from 'zod';
import { DomainError, type InputProblem } from './errors.js';

/** The laws that `JURISDICTIONS` may enable; their rules live in dsar/law. */
export const lawIds = ['gdpr', 'uk-gdpr', 'ccpa', 'lgpd', 'pipeda', 'sa-pdpl', 'bh-pdpl', 'jp-appi'] as const;
export type LawId = (typeof lawIds)[number];

/** The absolute path of a file of this project, whether it runs from src or from dist. */
export function projectFile(...path: string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, ...path);
}

const isoDuration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const duration = Duration.fromISO(text);
      if (duration.isValid && duration.valueOf() >= 0) return duration;
      context.addIssue({ code: 'custom', message: `must be an ISO 8601 duration such as ${fallback}` });
      return z.NEVER;
    });

const key32 = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32, 'must be 32 bytes in base64 (try: openssl rand -base64 32)')
  .optional();

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

const file = z
  .string()
  .refine((path) => existsSync(path), 'names a file that does not exist')
  .transform((path) => resolve(path));

const postgresUrl = url('postgres:', 'postgresql:').optional();

const Environment = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: url('http:', 'https:').optional(),
  HABEAS_HOME: z
    .string()
    .default('./.habeas')
    .transform((path) => resolve(path)),
  DATABASE_URL: postgresUrl,
  MIGRATION_DATABASE_URL: postgresUrl,
  PLANES: file.optional(),
  DIRECTORY_URL: postgresUrl,
  DATAMAP: file.optional(),
  SUPABASE_URL: url('http:', 'https:').optional(),
  SUPABASE_SERVICE_KEY: z.string().min(1).optional(),
  SUPABASE_S3_ACCESS_KEY: z.string().min(1).optional(),
  SUPABASE_S3_SECRET: z.string().min(1).optional(),
  EXPORT_BUCKET: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/,
      'must be a bucket name: 3 to 63 of a-z, 0-9, dot, dash, underscore',
    )
    .default('dsar-exports'),
  SMTP_URL: url('smtp:', 'smtps:').optional(),
  MAIL_FROM: z.string().optional(),
  AUTH_JWKS_URL: url('http:', 'https:').optional(),
  AUTH_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  AUTH_STAFF_CLAIM: z.string().min(1).optional(),
  MASTER_KEY: key32,
  SIGNING_KEY: key32,
  LINK_TTL: isoDuration('P7D'),
  GRACE_PERIOD: isoDuration('P30D'),
  BACKUP_HORIZON: isoDuration('P30D'),
  REQUEST_RETENTION: isoDuration('P36M'),
  COOLING_OFF: isoDuration('P1D'),
  DUE_MARGIN: isoDuration('P3D'),
  JURISDICTIONS: z
    .string()
    .default(lawIds.join(','))
    .transform((text) => text.split(',').map((id) => id.trim()))
    .pipe(z.array(z.enum(lawIds, `must be a comma-separated list of ${lawIds.join(', ')}`)).min(1)),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .pipe(
      z.array(
        z.union(
          [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
          'must be addresses or CIDR ranges, comma-separated',
        ),
      ),
    ),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

type Environment = z.infer<typeof Environment>;

/** Everything the service may be told from outside; durations are luxon's, keys 32 raw bytes. */
export type Config = Readonly<ReturnType<typeof assemble>>;
export const CONFIG = Symbol('config');

/**
 * Reads the configuration, all of it at once.
 * @throws DomainError `config.invalid` whose errors list every variable that is wrong and what to set.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  const problems: InputProblem[] = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map((issue) => ({
        path: issue.path.join('.'),
        code: 'config.invalid_value',
        message: issue.message,
      }));
  if (!parsed.success || problems.length > 0) {
    const list = problems.map(({ path, message }) => `  ${path}: ${message}`).join('\n');
    throw new DomainError('config.invalid', `The configuration has problems:\n${list}`, { errors: problems });
  }
  return assemble(parsed.data, recipientSecrets(given));
}

/** RECIPIENT_<NAME>_SECRET by NAME; which of them are needed, the data map says. */
const recipientSecrets = (given: Record<string, string | undefined>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([variable, value]) => {
      const name = /^RECIPIENT_([A-Z][A-Z0-9_]*)_SECRET$/.exec(variable)?.[1];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );

function assemble(env: Environment, secrets: Readonly<Record<string, string>>) {
  const production = env.NODE_ENV === 'production';
  return {
    production,
    /** The demo sign-in exists only while no identity provider is configured, and never in production. */
    demoSignIn: !production && !env.AUTH_JWKS_URL && !env.AUTH_JWT_SECRET,
    /** The demo host app is loaded only when no data map of a real one is named. */
    demoHost: !production && !env.DATAMAP,
    port: env.PORT,
    host: env.HOST,
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, '') ?? `http://${env.HOST}:${env.PORT}`,
    home: env.HABEAS_HOME,
    databaseUrl: env.DATABASE_URL,
    migrationDatabaseUrl: env.MIGRATION_DATABASE_URL ?? env.DATABASE_URL,
    datamapFile: env.DATAMAP,
    storage: {
      supabaseUrl: env.SUPABASE_URL?.replace(/\/+$/, ''),
      serviceKey: env.SUPABASE_SERVICE_KEY,
      s3AccessKey: env.SUPABASE_S3_ACCESS_KEY,
      s3Secret: env.SUPABASE_S3_SECRET,
      exportBucket: env.EXPORT_BUCKET,
    },
    mail: { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM ?? 'Habeas <privacy@localhost>' },
    auth: {
      jwksUrl: env.AUTH_JWKS_URL,
      secret: env.AUTH_JWT_SECRET,
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
      staffClaim: env.AUTH_STAFF_CLAIM,
    },
    masterKey: env.MASTER_KEY,
    signingKey: env.SIGNING_KEY,
    linkTtl: env.LINK_TTL,
    gracePeriod: env.GRACE_PERIOD,
    backupHorizon: env.BACKUP_HORIZON,
    requestRetention: env.REQUEST_RETENTION,
    coolingOff: env.COOLING_OFF,
    dueMargin: env.DUE_MARGIN,
    laws: env.JURISDICTIONS,
    recipientSecrets: secrets,
    /** Proxies whose X-Forwarded-For is believed; without them everybody behind one shares its address. */
    trustedProxies: env.TRUSTED_PROXIES,
    logLevel: env.LOG_LEVEL,
  };
}

/** What each variable allows alone but not beside the others. */
function contradictions(env: Environment): InputProblem[] {
  const problems: InputProblem[] = [];
  const demand = (holds: unknown, path: string, message: string) => {
    if (!holds) problems.push({ path, code: 'config.contradiction', message });
  };
  const together = (a: keyof Environment, b: keyof Environment) => {
    demand(!env[a] || env[b], b, `is needed when ${a} is set`);
    demand(!env[b] || env[a], a, `is needed when ${b} is set`);
  };

  // Named by the contract, built with physical residency: refused rather than ignored.
  for (const name of ['PLANES', 'DIRECTORY_URL'] as const) {
    demand(!env[name], name, 'is not built yet: one plane, on DATABASE_URL, serves all regions');
  }
  together('SUPABASE_URL', 'SUPABASE_SERVICE_KEY');
  together('SUPABASE_S3_ACCESS_KEY', 'SUPABASE_S3_SECRET');
  demand(
    !(env.AUTH_JWKS_URL && env.AUTH_JWT_SECRET),
    'AUTH_JWT_SECRET',
    'cannot stand beside AUTH_JWKS_URL; set one',
  );
  if (env.AUTH_JWKS_URL ?? env.AUTH_JWT_SECRET) {
    demand(env.AUTH_ISSUER, 'AUTH_ISSUER', 'is needed, so that tokens of another issuer are refused');
    demand(env.AUTH_AUDIENCE, 'AUTH_AUDIENCE', 'is needed, so that tokens for another service are refused');
  }
  demand(
    !env.DATABASE_URL || env.DATAMAP || env.NODE_ENV !== 'production',
    'DATAMAP',
    'is needed with a real database',
  );
  if (env.NODE_ENV === 'production') problems.push(...productionProblems(env));
  return problems;
}

const neededInProduction: Partial<Record<keyof Environment, string>> = {
  DATABASE_URL: 'the service login on your database (the embedded one is for trying out)',
  MIGRATION_DATABASE_URL: 'the owner that migrates; the service itself must own nothing',
  DATAMAP: 'your data map (the demo host app is for trying out)',
  PUBLIC_URL: 'the https address that people reach this service at',
  SUPABASE_URL: 'your storage (the local object store is for trying out)',
  SUPABASE_SERVICE_KEY: 'the key of your storage',
  SMTP_URL: 'your mail server (mails to files are for trying out)',
  MAIL_FROM: 'the sender that people see',
  MASTER_KEY: 'openssl rand -base64 32, kept in your secret store',
  SIGNING_KEY: 'openssl rand -base64 32, kept in your secret store',
};

function productionProblems(env: Environment): InputProblem[] {
  const problem = (path: string, message: string) => ({ path, code: 'config.not_for_production', message });
  const missing = Object.entries(neededInProduction)
    .filter(([name]) => !env[name as keyof Environment])
    .map(([name, what]) => problem(name, `is needed in production: ${what}`));
  if (!env.AUTH_JWKS_URL && !env.AUTH_JWT_SECRET) {
    missing.push(
      problem(
        'AUTH_JWKS_URL',
        'or AUTH_JWT_SECRET is needed in production: the demo sign-in lets anybody in',
      ),
    );
  }
  for (const name of ['PUBLIC_URL', 'SUPABASE_URL', 'AUTH_JWKS_URL'] as const) {
    const value = env[name];
    if (value?.startsWith('http:') && (name === 'PUBLIC_URL' || !isLocal(value))) {
      missing.push(problem(name, 'must be https in production'));
    }
  }
  for (const name of ['DATABASE_URL', 'MIGRATION_DATABASE_URL', 'DIRECTORY_URL'] as const) {
    const value = env[name];
    if (value && !isLocal(value) && !encryptsPostgres(value)) {
      missing.push(problem(name, 'must be encrypted in production: add sslmode=verify-full'));
    }
  }
  if (env.SMTP_URL && !isLocal(env.SMTP_URL) && !encryptsMail(env.SMTP_URL)) {
    missing.push(
      problem('SMTP_URL', 'must be encrypted in production: use smtps:// or add ?requireTLS=true'),
    );
  }
  return missing;
}

const isLocal = (text: string) =>
  ['localhost', '127.0.0.1', '[::1]', '::1', ''].includes(new URL(text).hostname);
// sslmode=prefer and allow fall back to plain text, so only the demanding modes count.
const encryptsPostgres = (text: string) =>
  ['require', 'verify-ca', 'verify-full'].includes(new URL(text).searchParams.get('sslmode') ?? '');
const encryptsMail = (text: string) =>
  text.startsWith('smtps:') || new URL(text).searchParams.get('requireTLS') === 'true';
