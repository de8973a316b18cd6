// `npm test`: format, lint, types, import directions and a build, two at a time; then all tests. Everything runs even
// when something fails, so that one look tells all. The last line is `N passed, N failed`, checks counted in.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tool = (...path) => join(root, 'node_modules', ...path);

const checks = {
  lint: [tool('eslint', 'bin', 'eslint.js'), '.'],
  types: [tool('typescript', 'bin', 'tsc'), '--noEmit'],
  format: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '.', '--log-level', 'warn'],
  imports: [
    tool('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
    '--config',
    '.dependency-cruiser.js',
    'src',
  ],
  build: [join(root, 'scripts', 'build-if-needed.js')],
};

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

const failed = await runChecks();
const tests = await runTests();
const passed = Object.keys(checks).length - failed.length + tests.passed;
if (failed.length > 0)
  console.log(`\nChecks that failed: ${failed.join(', ')}; what they say stands above the tests.`);
console.log(`\n${passed} passed, ${failed.length + tests.failed} failed`);
process.exitCode = failed.length + tests.failed > 0 ? 1 : 0;

async function runChecks() {
  const waiting = Object.entries(checks);
  const failures = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, command] = next;
      const startedAt = performance.now();
      const { code, output } = await run(command);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
      console.log(
        `${code === 0 ? '✓' : '✗'} ${name.padEnd(8)}${seconds} s${code === 0 ? '' : `\n${output}`}`,
      );
      if (code !== 0) failures.push(name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  return failures;
}

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-check-'));
  const report = join(folder, 'jest.json');
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', tool('jest', 'bin', 'jest.js')];
    const options = ['--json', `--outputFile=${report}`, ...process.argv.slice(2)];
    const { code } = await run([...jest, ...options], ['ignore', 'ignore', 'inherit']);
    if (!existsSync(report)) return { passed: 0, failed: 1 };
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    const failures = numFailedTests + numRuntimeErrorTestSuites;
    // A run that ends badly though no test failed (a teardown, a leak) is a failure as well.
    return { passed: numPassedTests, failed: failures === 0 && code !== 0 ? 1 : failures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command, stdio = ['ignore', 'pipe', 'pipe']) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code: code ?? 1, output });
    });
  });
}
