import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workspaceIds } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Certificates } from '../../src/deletion/certificate/certificates.js';
import { Signing } from '../../src/keys/signing.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { SupabaseStores } from '../../src/storage/supabase-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { putText, Situation } from './eraser-situation.js';

const config = readConfig({ HABEAS_HOME: '.habeas' });
let db: TestDatabase;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-versions-'));
  db = await createDatabase('atelier_template');
});
afterAll(async () => {
  await db.drop();
  await rm(home, { recursive: true });
});

test('the certificate dates versions of removed files where the driver cannot rule them out', async () => {
  const local = new LocalStores({
    root: home,
    publicUrl: 'http://localhost',
    key: Buffer.alloc(32),
  });
  const supabase = new SupabaseStores({ url: 'http://127.0.0.1:1', serviceKey: 'none' });
  const { situation, job } = await erasedWithFiles();
  const of = (stores: { versions: 'none' | 'unknown' }) =>
    db.database.within(systemTenancy(job.tenant, 'test'), (tx) =>
      new Certificates(config, new Signing(Buffer.alloc(32, 9)), situation.erasures, stores).draft(tx, job, {
        law: null,
        mentions: 0,
      }),
    );
  const certified = await of(supabase);
  expect(certified.collections.reduce((sum, { files }) => sum + files, 0)).toBeGreaterThan(0);
  expect(certified.storage.versionsGoneBy).toBe(certified.backups.goneBy);
  expect((await of(local)).storage.versionsGoneBy).toBeNull();
});

/** A customer's erasure in a store of the test's own. */
async function erasedWithFiles() {
  const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  const situation = await Situation.of(db, readDataMap(config), stores);
  const [file] = await db.behindTheScenes<{ customer: string; bucket: string; path: string }>(
    `select m.customer_id as customer, bucket, path from atelier.attachments join atelier.messages m on m.id = message_id
     where m.customer_id is not null and m.workspace_id = $1 order by m.id limit 1`,
    [workspaceIds.acme],
  );
  if (!file) throw new Error('the demo has no customer with a file');
  await putText(stores, file.bucket, file.path);
  const job = situation.job([await situation.person('customer', file.customer)], {
    tenant: workspaceIds.acme,
    scope: 'person',
    workspaces: [workspaceIds.acme],
  });
  await situation.erase(job);
  return { situation, job };
}
