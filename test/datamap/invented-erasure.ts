import { randomUUID } from 'node:crypto';
import { systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { DomainError } from '../../src/errors.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { Situation } from '../deletion/eraser-situation.js';
import { type Invention, type Inventions } from './invented-check.js';

const stores = new LocalStores({
  root: '/nonexistent',
  publicUrl: 'http://localhost',
  key: Buffer.alloc(32),
});

/** The invention as the eraser meets it, made anew. */
export const situationOf = async (inventions: Inventions, invention: Invention): Promise<Situation> =>
  Situation.of(inventions.host.database, await inventions.make(invention), stores);

/** Which constraint refuses a person's erasure; undefined where it goes through. */
export async function refusesPerson(
  inventions: Inventions,
  invention: Invention,
  kind: string,
  key: string,
): Promise<string | undefined> {
  const situation = await situationOf(inventions, invention);
  const job = situation.job([await situation.person(kind, key)]);
  return constraintOf(situation.erase(job));
}

/** The same of a workspace's purge. */
export async function refusesPurge(
  inventions: Inventions,
  invention: Invention,
  key: string,
): Promise<string | undefined> {
  const situation = await situationOf(inventions, invention);
  const { db, host, erasures, files, clock } = situation;
  const eraser = new WorkspaceEraser({
    ...{ database: db.database, host, erasures, files },
    tombstoneDue: () => clock.now(),
  });
  const job: ErasureJob = {
    ...situation.job([], { scope: 'workspace', workspaces: [key] }),
    pseudonyms: { [`workspace:${key}`]: randomUUID() },
  };
  await db.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraser.begin(tx, job));
  return constraintOf(eraser.run(job, {}));
}

async function constraintOf(run: Promise<unknown>): Promise<string | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'erasure.blocked_by_constraint') throw error;
    return String(error.details.extra?.constraint ?? error.message);
  }
}
