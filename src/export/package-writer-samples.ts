/** One row of a data file. */
export type Row = Record<string, unknown>;

const rowsKept = 5;
/** A row longer than this is not shown: a page is for reading. */
const bytesLookedAt = 256 * 1024;

/** Passes lines `<json>,\n` on untouched and hands over the first few as rows, once they are known. */
export async function* withFirstRows(
  source: AsyncIterable<Buffer>,
  known: (first: Row[]) => void,
): AsyncGenerator<Buffer> {
  let beginning: Buffer | null = Buffer.alloc(0);
  for await (const chunk of source) {
    if (beginning) {
      beginning = Buffer.concat([beginning, chunk]);
      if (enough(beginning)) {
        known(rowsOf(beginning.subarray(0, bytesLookedAt)));
        beginning = null;
      }
    }
    yield chunk;
  }
  if (beginning) known(rowsOf(beginning.subarray(0, bytesLookedAt)));
}

const enough = (beginning: Buffer): boolean =>
  beginning.length >= bytesLookedAt ||
  beginning.toString('latin1').split('\n', rowsKept + 1).length > rowsKept;

/** Whole lines only. */
const rowsOf = (beginning: Buffer): Row[] =>
  beginning
    .subarray(0, beginning.lastIndexOf('\n') + 1)
    .toString()
    .split('\n', rowsKept)
    .filter((line) => line.endsWith(','))
    .map((line) => JSON.parse(line.slice(0, -1)) as Row);
