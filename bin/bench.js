#!/usr/bin/env node
// `npm run bench [name] [-- --json --keep]`: builds if needed, then measures; without a name, lists what there is.
import { buildIfNeeded } from '../scripts/build-if-needed.js';

if (!(await buildIfNeeded())) process.exit(1);
const { main } = await import('../dist/bench/main.js');
process.exit(await main(process.argv.slice(2)));
