// Builds dist when the sources, the compilers or their settings are not the ones it was built from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
const stamp = join(root, 'dist', '.built');
const lock = join(root, 'node_modules', '.building');

/** What a build depends on: a file that is new, gone or written again changes it. */
function state() {
  const hash = createHash('sha256');
  for (const folder of ['src', 'demo', 'bench']) {
    const files = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.ts'));
    for (const name of files.sort()) add(hash, join(folder, name));
  }
  for (const name of ['package-lock.json', '.swcrc', 'nest-cli.json']) add(hash, name);
  return hash.digest('hex');
}

function add(hash, name) {
  const { mtimeMs, size } = statSync(join(root, name));
  hash.update(`${name} ${mtimeMs} ${size}\n`);
}

const isBuilt = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === state();

/** Answers whether dist is good now. An installed package has a dist and no compiler: nothing to do there. */
export async function buildIfNeeded({ always = false } = {}) {
  if (!existsSync(compiler)) {
    if (existsSync(join(root, 'dist', 'src', 'main.js'))) return true;
    console.error('There is nothing to run yet: npm ci');
    return false;
  }
  const enough = () => !always && isBuilt();
  return enough() || alone(() => enough() || build());
}

/** Two builds at once would empty the folder under each other. */
async function alone(work) {
  const giveUpAt = Date.now() + 120_000;
  while (!taken()) {
    // A killed build leaves its lock behind; none takes this long.
    if (Date.now() > giveUpAt || Date.now() - ageOf(lock) > 60_000)
      rmSync(lock, { recursive: true, force: true });
    await sleep(100);
  }
  try {
    return work();
  } finally {
    rmdirSync(lock);
  }
}

function taken() {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

const ageOf = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();

function build() {
  const built = state();
  process.stderr.write('Building … ');
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, 'build'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    console.error(`failed:\n${stdout}${stderr}`);
    return false;
  }
  writeFileSync(stamp, built);
  console.error('done.');
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exit((await buildIfNeeded({ always: process.argv.includes('--always') })) ? 0 : 1);
}
