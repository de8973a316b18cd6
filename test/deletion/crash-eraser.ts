/** An eraser as a process of its own, which kills itself (SIGKILL) at the n-th COMMIT: just before it, or just after. */
import { Database } from '../../src/database/database.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Eraser } from '../../src/deletion/eraser.js';
import { ErasureFiles } from '../../src/deletion/files/erasure-files.js';
import { ErasurePlans } from '../../src/deletion/erasure-plan.js';
import { Erasures } from '../../src/deletion/erasures.js';
import { Clock } from '../../src/clock.js';
import { Sealing } from '../../src/keys/sealing.js';
import { LocalStores } from '../../src/storage/local-store.js';

const { url, home, tenant, jobId, at, when } = JSON.parse(process.argv[2] ?? '') as Record<string, string> & {
  at: number;
};
const die = () => process.kill(process.pid, 'SIGKILL');
const database = await Database.connect(url ?? '');
const within = database.within.bind(database);
let transactions = 0;
database.within = async (tenancy, work, options) => {
  const last = ++transactions >= at;
  const result = await within(
    tenancy,
    async (tx) => {
      const done = await work(tx);
      if (last && when === 'before') die();
      return done;
    },
    options,
  );
  if (last) die();
  return result;
};
const clock = new Clock();
const erasures = new Erasures(new Sealing(Buffer.alloc(32, 7)), clock);
const catalogue = await database.asHost((db) => readCatalogue(db));
const host = new HostMap(readDataMap(readConfig({ HABEAS_HOME: home })), catalogue);
const stores = new LocalStores({ root: home ?? '', publicUrl: 'http://localhost', key: Buffer.alloc(32) });
const job = await within(systemTenancy(tenant ?? '', 'crash'), (tx) => erasures.ofJob(tx, jobId ?? ''));
await new Eraser({
  database,
  host,
  plans: new ErasurePlans(host),
  erasures,
  files: new ErasureFiles(database, host, stores),
  tombstoneDue: () => clock.now(),
}).run(job);
await database.close();
