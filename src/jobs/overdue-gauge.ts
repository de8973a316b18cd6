import { Gauge, type Registry } from 'prom-client';
import { type OverdueWatch } from './overdue.js';

/**
 * `habeas_oldest_due_seconds{kind}`: how long the oldest thing of a kind has been due, 0 when nothing is. NaN: it could
 * not be read, which `habeas_overdue_unread{kind}` says with a 1, because no comparison with NaN ever raises an alarm.
 */
export function gaugeOverdue(watch: OverdueWatch, registry: Registry): void {
  const unread = new Gauge({
    name: 'habeas_overdue_unread',
    help: '1 when what is due of a kind of work could not be read',
    labelNames: ['kind'],
    registers: [registry],
  });
  // Calls that come together share one look at the database: /metrics is public to whoever reaches the port.
  let looking: ReturnType<OverdueWatch['look']> | undefined;
  new Gauge({
    name: 'habeas_oldest_due_seconds',
    help: 'Age of the oldest thing that is due and not done, by kind of work; 0 when nothing is due',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      looking ??= watch.look().finally(() => (looking = undefined));
      for (const { kind, seconds } of await looking) {
        this.set({ kind }, seconds ?? Number.NaN);
        unread.set({ kind }, seconds === null ? 1 : 0);
      }
    },
  });
}
