import { Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import { OverdueWatch } from '../jobs/overdue.js';
import { gaugeOverdue } from '../jobs/overdue-gauge.js';
import { watchOldestDue } from './oldest-due.js';
import { OverdueController } from './overdue.controller.js';
import { OverdueWork } from './overdue-work.js';

@Module({ controllers: [OverdueController], providers: [OverdueWork] })
export class OverdueModule {
  constructor(watch: OverdueWatch, metrics: Registry) {
    watchOldestDue(watch);
    gaugeOverdue(watch, metrics);
  }
}
