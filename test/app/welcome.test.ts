import { expect, test } from '@jest/globals';
import { welcome } from '../../src/app/welcome.js';
import { readConfig } from '../../src/config.js';

const said = (environment: NodeJS.ProcessEnv) => welcome({ config: readConfig(environment), took: 1 });

test('Ctrl-C stops the Postgres that runs here, and is not said to stop one’s own', () => {
  expect(said({})).toMatch(/Stop +Ctrl-C, Postgres included; the data stays\n/);
  const own = said({ DATABASE_URL: 'postgresql://shop@127.0.0.1/shop' });
  expect(own).toMatch(/Stop +Ctrl-C\n/);
  expect(own).not.toContain('Postgres');
});
