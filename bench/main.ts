import { parseArgs } from 'node:util';
import { benchExport } from './export.js';
import { benchPurge } from './purge.js';
import { benchResidue } from './residue.js';

const benches = {
  export: {
    says: "one person's package of 1,000,000 messages, against psql; 4,000,000 for the memory",
    run: benchExport,
  },
  purge: {
    says: "a workspace of 1,000,000 messages purged beside others' 200 reads and writes a second, against one DELETE",
    run: benchPurge,
  },
  residue: {
    says: 'a search of 1,000,000 rows of text for what is left of 100 people, against one LIKE for one of them',
    run: benchResidue,
  },
} as const;

/** `npm run bench [name] [-- --json --keep]`. With --json the last line of stdout is one JSON object. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      keep: { type: 'boolean' },
      runs: { type: 'string' },
      messages: { type: 'string' },
      rows: { type: 'string' },
    },
  });
  const [name] = positionals;
  const bench = Object.entries(benches).find(([known]) => known === name)?.[1];
  if (!bench) {
    if (name !== undefined) console.error(`There is no bench ${name}.`);
    console.log('npm run bench <name> [-- --json --keep --runs 5 --rows 1000000]\n');
    for (const [known, { says }] of Object.entries(benches)) console.log(`  ${known.padEnd(10)}${says}`);
    return name === undefined ? 0 : 1;
  }
  const messages = values.rows ?? values.messages;
  const figures = await bench.run({
    keep: values.keep ?? false,
    ...(values.runs !== undefined && { runs: Number(values.runs) }),
    ...(messages !== undefined && { messages: Number(messages) }),
    say: (line) => (values.json ? console.error(line) : console.log(line)),
  });
  if (values.json) console.log(JSON.stringify(figures));
  else for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(18)}${value}`);
  return 0;
}
