import '../../scripts/typescript-loader.js';

/** One real Postgres for the whole run; see test-postgres.ts. */
export default async function globalSetup() {
  const { startTestPostgres } = await import('./test-postgres.ts');
  globalThis.stopTestPostgres = await startTestPostgres();
}
