import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { runs, ServiceProcess } from './service-process.js';

jest.setTimeout(90_000);

let home: string;
const started: ServiceProcess[] = [];

const run = (args: string[], environment?: NodeJS.ProcessEnv) => {
  const service = ServiceProcess.run(home, args, environment);
  started.push(service);
  return service;
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-serve-'));
});
afterEach(async () => {
  for (const service of started.splice(0)) if (service.code === undefined) await service.stop('SIGTERM');
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function behindTheScenes(sql: string): Promise<unknown[]> {
  const client = new pg.Client({
    connectionString: (await readFile(join(home, 'database.url'), 'utf8')).trim(),
  });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('habeas serve on an empty machine', () => {
  test('is ready with the demo host, and says where it is, who to be and what to try', async () => {
    const service = run(['serve']);
    const url = await service.ready();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    expect(service.output).toContain('owner, admin, member, viewer');
    expect(service.output).toContain(`${url}/v1/me/requests`);

    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: 'ready' });
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe('/docs');
    expect(await behindTheScenes('select count(*)::int as messages from atelier.messages')).toEqual([
      { messages: 30_000 },
    ]);
  });

  test('the printed sign-in works as it is printed', async () => {
    const service = run(['serve']);
    await service.ready();
    const command = /TOKEN=\$\((.*)\)\n/.exec(service.output)?.[1] ?? '';
    const { execFileSync } = await import('node:child_process');
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toMatch(
      /^ey[\w-]+\.[\w-]+\.[\w-]+\s*$/,
    );
  });

  test('everybody in the list of demo people may what the list suggests: the auditor reads Acme’s log', async () => {
    const grants = () =>
      behindTheScenes(`select action from habeas.events where action = 'auditor.granted'`) as Promise<
        object[]
      >;
    for (let start = 0; start < 2; start++) {
      const service = run(['serve']);
      const url = await service.ready();
      const session = await fetch(`${url}/demo/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ person: 'auditor' }),
      });
      const { token, workspaceId } = (await session.json()) as { token: string; workspaceId: string };
      const log = await fetch(`${url}/v1/workspaces/${workspaceId}/events`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(log.status).toBe(200);
      expect(await grants()).toHaveLength(1);
      expect(await service.stop('SIGTERM')).toBe(0);
    }
  });

  test('keeps its home to itself: folder, keys, passwords', async () => {
    const mode = async (...path: string[]) => ((await stat(join(home, ...path))).mode & 0o777).toString(8);
    expect(await mode()).toBe('700');
    for (const file of ['database.url', 'login.password', 'postgres.password', 'master.key', 'downloads.key'])
      expect([file, await mode(file)]).toEqual([file, '600']);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops it, and its Postgres too', async (signal) => {
    const service = run(['serve']);
    await service.ready();
    const postgres = await service.postgres();
    expect(await runs(postgres)).toBe(true);
    expect(await service.stop(signal)).toBe(0);
    expect(await runs(postgres)).toBe(false);
  });

  test('a signal that comes while it still starts leaves nothing running', async () => {
    const service = run(['serve']);
    await eventually(async () => (await service.postgres().catch(() => 0)) > 0, 30_000);
    const postgres = await service.postgres();
    expect(await service.stop('SIGINT')).toBe(0);
    expect(await runs(postgres)).toBe(false);
  });

  test('a second start finds the data of the first', async () => {
    const first = run(['serve']);
    await first.ready();
    await behindTheScenes('create table public.left_here (); ');
    await first.stop('SIGINT');
    const second = run(['serve']);
    await second.ready();
    expect(await behindTheScenes(`select to_regclass('public.left_here') is not null as there`)).toEqual([
      { there: true },
    ]);
    expect(second.output).not.toContain('migrated');
  });
});

describe('one Postgres', () => {
  test('left behind by a kill -9 is taken over, and stopped in the end', async () => {
    const killed = run(['serve']);
    await killed.ready();
    const postgres = await killed.postgres();
    await killed.stop('SIGKILL');
    expect(await runs(postgres)).toBe(true);

    const next = run(['serve']);
    const url = await next.ready();
    expect(await next.postgres()).toBe(postgres);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await next.stop('SIGINT');
    expect(await runs(postgres)).toBe(false);
  });

  test('is shared by two services, whichever of them ends first', async () => {
    const [one, other] = [run(['serve']), run(['serve', '--no-worker'])];
    const [, url] = await Promise.all([one.ready(), other.ready()]);
    const postgres = await one.postgres();
    await one.stop('SIGINT');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await other.stop('SIGINT');
    expect(await runs(postgres)).toBe(false);
  });
});

describe('a database of one’s own', () => {
  test('is migrated as its owner and served as the login, with no Postgres of ours', async () => {
    const db = await createDatabase();
    const own = join(home, 'own-database');
    try {
      const environment = { DATABASE_URL: db.url, MIGRATION_DATABASE_URL: db.ownerUrl };
      const service = ServiceProcess.run(own, ['serve'], environment);
      started.push(service);
      const url = await service.ready();
      expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
        checks: { database: { ok: true } },
      });
      expect(existsSync(join(own, 'postgres'))).toBe(false);
      // The test login inherits nothing and owns nothing, as the service asks for.
      expect(service.output).not.toContain('database.login_too_mighty');
      expect(await service.stop('SIGTERM')).toBe(0);

      const asOwner = ServiceProcess.run(own, ['serve'], { DATABASE_URL: db.ownerUrl });
      started.push(asOwner);
      await asOwner.ready();
      expect(asOwner.output).toContain('database.login_too_mighty');
      await asOwner.stop('SIGTERM');
    } finally {
      await db.drop();
    }
  });
});

describe('a start that cannot succeed', () => {
  test('names the taken port and the variable that changes it, before any other work', async () => {
    const squatter = createServer();
    const port = await new Promise<number>((resolve) => {
      squatter.listen(0, '127.0.0.1', () => resolve((squatter.address() as AddressInfo).port));
    });
    const elsewhere = join(home, 'never-made');
    const service = ServiceProcess.run(elsewhere, ['serve'], { PORT: String(port) });
    expect(await service.ended()).toBe(1);
    squatter.close();
    expect(service.output).toContain(`127.0.0.1:${port} already`);
    expect(service.output).toContain(`PORT=${port + 1} npm start`);
    expect(service.output).not.toContain('    at ');
    await expect(stat(elsewhere)).rejects.toThrow('ENOENT');
  });

  test('lists every problem of the configuration at once', async () => {
    const service = run(['serve'], { PORT: 'many', LINK_TTL: 'a week', SUPABASE_URL: 'ftp://storage' });
    expect(await service.ended()).toBe(1);
    for (const name of ['PORT', 'LINK_TTL', 'SUPABASE_URL']) expect(service.output).toContain(`  ${name}: `);
    expect(service.output).not.toContain('    at ');
  });

  test('says that HABEAS_HOME cannot be used, and what to set', async () => {
    const service = ServiceProcess.run('/dev/null/habeas', ['serve']);
    expect(await service.ended()).toBe(1);
    expect(service.output).toContain('Set the variable HABEAS_HOME');
    expect(service.output).not.toContain('    at ');
  });

  test('names file, line and path of a data map with a typo, and starts nothing', async () => {
    const file = join(home, 'typo.yaml');
    await writeFile(file, 'version: 1\nsubjcts: {}\n');
    const service = ServiceProcess.run(join(home, 'not-started'), ['serve'], { DATAMAP: file });
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/typo\.yaml:2:\d+ .*subjcts/);
    await expect(stat(join(home, 'not-started', 'postgres'))).rejects.toThrow('ENOENT');
  });

  test('says which database does not answer, without its password', async () => {
    const service = run(['serve'], { DATABASE_URL: 'postgresql://someone:hunter2@127.0.0.1:1/nowhere' });
    expect(await service.ended()).toBe(1);
    expect(service.output).toContain('127.0.0.1:1/nowhere (DATABASE_URL)');
    expect(service.output).not.toContain('hunter2');
  });

  test('in production refuses everything that is demo, generated or unencrypted', async () => {
    const service = run(['serve'], { NODE_ENV: 'production', PUBLIC_URL: 'http://habeas.example' });
    expect(await service.ended()).toBe(1);
    for (const name of ['DATABASE_URL', 'DATAMAP', 'MASTER_KEY', 'SMTP_URL', 'PUBLIC_URL'])
      expect(service.output).toContain(`  ${name}: `);
  });
});
