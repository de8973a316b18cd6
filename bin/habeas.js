#!/usr/bin/env node
// Finds the right Node, builds if this is a checkout that needs it, and runs the command.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const args = process.argv.slice(2);

if (Number(process.versions.node.split('.')[0]) >= NEEDED) await run();
else if (existsSync(pinned) && realpathSync(pinned) !== realpathSync(process.execPath)) hand(pinned);
else {
  console.error(
    `Habeas needs Node ${NEEDED} or later; this is ${process.version}. \`npm ci\` brings it: run that again without\n` +
      '--ignore-scripts (npm 11 and later: with the allowScripts of package.json), or install Node 24 yourself.',
  );
  process.exit(1);
}

async function run() {
  const { buildIfNeeded } = await import('../scripts/build-if-needed.js');
  if (!(await buildIfNeeded())) process.exit(1);
  const { main } = await import('../dist/src/main.js');
  await main(args);
}

/** The same command on another Node. A signal to us is meant for it; Ctrl-C reaches it anyway, and twice is once. */
function hand(node) {
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`${node} does not run: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
