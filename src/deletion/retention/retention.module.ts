import { Module } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { HostMap } from '../../datamap/host-map.js';
import { OverdueWatch } from '../../jobs/overdue.js';
import { Queue } from '../../jobs/queue.js';
import { SweepRegistry } from '../../jobs/sweep-registry.js';
import { HostStores } from '../../storage/host-stores.js';
import { ErasureFiles } from '../files/erasure-files.js';
import { OPEN_ACCESS, type OpenAccess } from '../open-access.js';
import { RetentionController } from './retention.controller.js';
import { RetentionSweep, RETENTION, oldestDueRetention } from './retention.sweep.js';
import { RetentionFiles } from './files.js';
import { RetentionLog } from './audit-log.js';
import { RetentionPreview } from './preview.js';
import { RetentionRun } from './run.js';
import { Retentions } from './retentions.js';

/** An audit log is kept as long as the requests that it proves, unless a workspace says otherwise. */
const logKeepOf = ({ requestRetention }: Config): string => requestRetention.toISO();

type Store = [Database, HostMap, AuditLog, Clock, Config];
const retentions = {
  provide: Retentions,
  inject: [Database, HostMap, AuditLog, Clock, CONFIG],
  useFactory: (...[database, host, audit, clock, config]: Store) =>
    new Retentions(database, host, audit, clock, logKeepOf(config)),
};
const preview = {
  provide: RetentionPreview,
  inject: [Database, HostMap, Clock, OPEN_ACCESS],
  useFactory: (...its: [Database, HostMap, Clock, OpenAccess]) => new RetentionPreview(...its),
};
const run = {
  provide: RetentionRun,
  inject: [Database, HostMap, AuditLog, Clock, CONFIG, HostStores, OPEN_ACCESS],
  useFactory: (
    ...[database, host, audit, clock, config, stores, access]: [...Store, HostStores, OpenAccess]
  ) =>
    new RetentionRun({
      database,
      host,
      audit,
      clock,
      access,
      files: new RetentionFiles(database, new ErasureFiles(database, host, stores), clock),
      log: new RetentionLog(database),
      logKeep: logKeepOf(config),
    }),
};
const sweep = {
  provide: RetentionSweep,
  inject: [Database, HostMap, Queue, Clock, CONFIG],
  useFactory: (...[database, host, queue, clock, config]: [Database, HostMap, Queue, Clock, Config]) =>
    new RetentionSweep(database, host, queue, clock, logKeepOf(config)),
};

@Module({
  controllers: [RetentionController],
  providers: [retentions, preview, run, sweep],
  exports: [Retentions, RetentionRun],
})
export class RetentionModule {
  constructor(
    queue: Queue,
    registry: SweepRegistry,
    watch: OverdueWatch,
    work: RetentionRun,
    due: RetentionSweep,
  ) {
    queue.register(RETENTION, (job) => work.run(job));
    registry.register('retention', () => due.run());
    watch.register('retention', async (tx, now) => {
      const [row] = await tx.query<{ due: Date | null }>(oldestDueRetention, [now]);
      return row?.due ?? null;
    });
  }
}
