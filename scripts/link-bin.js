// npm links the bins of what it installs, but not our own: this lets `npx habeas` find it, offline and at once.
// `npm ci` runs it (prepare). Harmless anywhere else: it never fails an install.
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));
const link = `${folder}habeas`;
try {
  if (existsSync(fileURLToPath(new URL('../node_modules/', import.meta.url)))) {
    mkdirSync(folder, { recursive: true });
    if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
    symlinkSync('../../bin/habeas.js', link);
  }
} catch (error) {
  console.error(`npx habeas is not set up (${error.message}); node bin/habeas.js does the same.`);
}
