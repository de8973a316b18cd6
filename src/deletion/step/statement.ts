/** SQL, and what it is handed. */
export interface Statement {
  sql: string;
  values: unknown[];
}

/** Bind parameters in the order in which they were added. */
export class Values {
  readonly all: unknown[] = [];

  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

/** A statement that is written together with its parameters. */
export function statementOf(write: (values: Values) => string): Statement {
  const values = new Values();
  const sql = write(values);
  return { sql, values: values.all };
}
