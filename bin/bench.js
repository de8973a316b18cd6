#!/usr/bin/env node
// `npm run bench [name] [-- --json --keep]`: measures on an embedded Postgres of its own. With --json the last line is
// one JSON object. With --keep the database stays up, and what was written in place, for whoever wants to measure again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../scripts/build-if-needed.js';

const benches = ['export'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    runs: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !benches.includes(name));
if (unknown !== undefined) {
  console.error(`There is no bench called ${unknown}. There are: ${benches.join(', ')}`);
  process.exit(1);
}
if (!(await buildIfNeeded())) process.exit(1);

const { EmbeddedPostgres } = await import('../dist/src/database/embedded-postgres.js');
const home = await mkdtemp(join(tmpdir(), 'habeas-bench-'));
const server = await EmbeddedPostgres.start(home);
let child;
// Whatever ends the bench ends it here, so that Postgres is not left behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal));
try {
  for (const name of positionals.length > 0 ? positionals : benches) {
    const result = await measure(name);
    if (process.exitCode) break;
    console.log(values.json ? JSON.stringify(result) : `${name}  ${figures(result)}`);
  }
} finally {
  if (values.keep) console.error(`kept: psql "$(cat ${join(home, 'database.url')})"`);
  else {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
}
process.exit();

/** Each bench runs in a process of its own, whose memory is nobody else's; its last line is its figures. */
async function measure(name) {
  const script = fileURLToPath(new URL(`../dist/bench/${name}.js`, import.meta.url));
  const options = [`--database=${server.url}`, ...(values.keep ? ['--keep'] : [])];
  if (values.runs) options.push(`--runs=${values.runs}`);
  child = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  if (code !== 0) {
    process.exitCode = 1;
    return undefined;
  }
  return JSON.parse(output.trimEnd().split('\n').at(-1));
}

const figures = (result) =>
  Object.entries(result)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 1000) / 1000 : value}`)
    .join('  ');
