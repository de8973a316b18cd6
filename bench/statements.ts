import pg from 'pg';

/** One statement as it went to the server. */
export interface Statement {
  text: string;
  values: string[];
}

/**
 * Records what goes to the server while `work` runs, and answers the one transaction in it that copies rows out:
 * its begin, what sets roles and settings, each COPY, and its end. What only looks something up is left out, so
 * that who runs this list does no more than has to be done.
 */
export async function copiesDuring(work: () => Promise<unknown>): Promise<Statement[]> {
  const byClient = new Map<unknown, Statement[]>();
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const query = prototype.query;
  prototype.query = function (this: unknown, first: unknown, second: unknown, ...rest: unknown[]) {
    const text = typeof first === 'string' ? first : (first as { text: string }).text;
    const values = Array.isArray(second) ? second.map(String) : [];
    byClient.set(this, [...(byClient.get(this) ?? []), { text, values }]);
    return query.call(this, first, second, ...rest);
  };
  try {
    await work();
  } finally {
    prototype.query = query;
  }
  for (const statements of byClient.values()) {
    const copy = statements.findIndex(isCopy);
    if (copy === -1) continue;
    const begin = statements.findLastIndex(({ text }, n) => n < copy && /^start transaction/i.test(text));
    const end = statements.findIndex(({ text }, n) => n > copy && /^commit/i.test(text));
    const whole = statements.slice(begin, end + 1);
    return whole.filter(
      (statement, n) => n === 0 || n === whole.length - 1 || isCopy(statement) || sets(statement),
    );
  }
  throw new Error('nothing was copied out');
}

export const isCopy = ({ text }: Statement): boolean => /^copy /i.test(text);
const sets = ({ text }: Statement): boolean => /^\s*(?:select\s+set_config|set )/i.test(text);

/** As psql takes it: values in their places, one statement a line's end. */
export const asScript = (statements: readonly Statement[]): string =>
  statements.map((statement) => `${inline(statement)};\n`).join('');

export const inline = ({ text, values }: Statement): string =>
  values.length === 0
    ? text
    : text.replace(/\$(\d+)/g, (_, n: string) => pg.escapeLiteral(values[Number(n) - 1] ?? ''));
