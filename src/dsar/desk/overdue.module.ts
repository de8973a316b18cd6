import { Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import { OverdueWatch } from '../../jobs/overdue.js';
import { gaugeOverdue } from '../../jobs/overdue-gauge.js';
import { Queue } from '../../jobs/queue.js';
import { StuckRows } from '../../jobs/stuck-rows.js';
import { SweepRegistry } from '../../jobs/sweep-registry.js';
import { watchOldestDue } from './oldest-due.js';
import { OverdueController } from './overdue.controller.js';
import { OverdueWork } from './overdue-work.js';

@Module({ controllers: [OverdueController], providers: [OverdueWork, StuckRows] })
export class OverdueModule {
  constructor(watch: OverdueWatch, metrics: Registry, sweeps: SweepRegistry, stuck: StuckRows, queue: Queue) {
    watchOldestDue(watch);
    gaugeOverdue(watch, metrics);
    queue.onTried((name, job, error) => stuck.noteJob(name, job, error));
    sweeps.onEnded((name, error) => stuck.note(name, error));
  }
}
