import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runs, ServiceProcess } from './service-process.js';

jest.setTimeout(90_000);

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-commands-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function habeas(args: string[], environment?: NodeJS.ProcessEnv) {
  const command = ServiceProcess.run(home, args, environment);
  return { code: await command.ended(), output: command.output };
}

test.each([
  ['serve'],
  ['worker'],
  ['migrate'],
  ['sweep'],
  ['datamap'],
  ['datamap', 'check'],
  ['datamap', 'workspace'],
  ['keys'],
])('habeas %s %s explains itself', async (...args) => {
  const { code, output } = await habeas([...args, '--help']);
  expect([code, output]).toEqual([0, expect.stringContaining(`Usage: habeas ${args.join(' ')}`)]);
});

test.each([
  ['erasures replay', [], '--since <moment>'],
  ['certificate verify', ['certificate.json'], '--key <file>'],
])('habeas %s says which option it cannot do without', async (command, operands, option) => {
  const { output } = await habeas([...command.split(' '), '--help']);
  const marked = output.replaceAll(/\s+/g, ' ').split('(required)');
  expect(marked).toHaveLength(2);
  // The last option before the mark.
  expect(marked[0]?.match(/--\w+ <\S+>/g)?.at(-1)).toBe(option);
  const refused = await habeas([...command.split(' '), ...operands]);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain(`required option '${option}' not specified`);
});

test('the README names every option that its commands cannot do without', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const uses = readme.match(/npx habeas erasures replay[^`\n]*/g) ?? [];
  expect(uses.length).toBeGreaterThan(0);
  for (const use of uses) expect(use).toMatch(/--since \d{4}-\d\d-\d\dT/);
});

test('an unknown command shows what there is, and fails', async () => {
  const { code, output } = await habeas(['sevre']);
  expect(code).toBe(1);
  expect(output).toContain('Did you mean serve?');
});

test('migrate brings an empty database to the newest schema, and the second time has nothing to do', async () => {
  expect((await habeas(['migrate'])).output).toContain('0001-tenancy');
  const again = await habeas(['migrate']);
  expect([again.code, again.output]).toEqual([0, expect.stringContaining('Nothing to do')]);
});

test('datamap check finds that the map of the demo fits the demo', async () => {
  const { code, output } = await habeas(['datamap', 'check']);
  expect([code, output]).toEqual([0, expect.stringContaining('The data map fits the database')]);
});

test('datamap check names what does not fit, and fails', async () => {
  const yaml = await readFile(new URL('../../demo/datamap.yaml', import.meta.url), 'utf8');
  const file = join(home, 'wrong.yaml');
  await writeFile(file, yaml.replace(/table: invoices/, 'table: bills'));
  const { code, output } = await habeas(['datamap', 'check'], { DATAMAP: file });
  expect(code).toBe(1);
  expect(output).toContain('atelier.bills');
});

test('datamap grants prints SQL for the tables of the map', async () => {
  const { code, output } = await habeas(['datamap', 'grants']);
  expect(code).toBe(0);
  expect(output).toMatch(/^grant select.* on table "atelier"\."messages" to habeas_host;$/m);
});

test('datamap schema prints what docs/datamap.schema.json holds', async () => {
  const published = await readFile(new URL('../../docs/datamap.schema.json', import.meta.url), 'utf8');
  const { output } = await habeas(['datamap', 'schema']);
  expect(JSON.parse(output)).toEqual(JSON.parse(published));
});

test('datamap workspace prints the id that the documentation shows', async () => {
  const guide = await readFile(new URL('../../docs/datamap.md', import.meta.url), 'utf8');
  const shown = /npx habeas datamap workspace (\S+) +# (\S+)/.exec(guide);
  expect((await habeas(['datamap', 'workspace', shown?.[1] ?? ''])).output).toBe(`${shown?.[2]}\n`);
  const uuid = '0190F3A0-0000-7000-8000-000000000001';
  expect((await habeas(['datamap', 'workspace', uuid])).output).toBe(`${uuid.toLowerCase()}\n`);
});

test.each(['check', 'grants'])('datamap %s says so where the database lets nobody in', async (report) => {
  // Nobody listens at port 1.
  const nowhere = { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/clinic' };
  const { code, output } = await habeas(['datamap', report], nowhere);
  expect(code).toBe(1);
  expect(output).toContain('The database at 127.0.0.1:1/clinic (DATABASE_URL): ');
  expect(output).not.toMatch(/ at .*\.js|secret/);
});

test('keys generate prints two keys that the configuration accepts, never the same ones', async () => {
  const [one, other] = [await habeas(['keys', 'generate']), await habeas(['keys', 'generate'])];
  expect(one.output).toMatch(/^MASTER_KEY=[A-Za-z0-9+/]{43}=\nSIGNING_KEY=[A-Za-z0-9+/]{43}=\n$/);
  expect(one.output).not.toBe(other.output);
});

test('sweep runs once and ends, and Postgres with it', async () => {
  expect((await habeas(['sweep'], { LOG_LEVEL: 'silent' })).code).toBe(0);
  await expect(readFile(join(home, 'postgres', 'postmaster.pid'))).rejects.toThrow('ENOENT');
});

test('worker works without listening, and stops when told', async () => {
  const worker = ServiceProcess.run(home, ['worker']);
  await worker.ready();
  const postgres = await worker.postgres();
  expect(worker.output).not.toContain('listening');
  expect(await worker.stop('SIGTERM')).toBe(0);
  expect(await runs(postgres)).toBe(false);
});
