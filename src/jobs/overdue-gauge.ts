import { Gauge, type Registry } from 'prom-client';
import { type Overdue, type OverdueWatch } from './overdue.js';

/**
 * `habeas_oldest_due_seconds{kind}`: how long the oldest thing of a kind has been due, 0 when nothing is. NaN: it could
 * not be read, which `habeas_overdue_unread{kind}` says with a 1, because no comparison with NaN ever raises an alarm.
 */
export function gaugeOverdue(watch: OverdueWatch, registry: Registry): void {
  // Calls that come together share one look at the database: /metrics is public to whoever reaches the port.
  let looking: Promise<Overdue[]> | undefined;
  const look = () => (looking ??= watch.look().finally(() => (looking = undefined)));
  const gauge = (name: string, help: string, valueOf: (seen: Overdue) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      async collect() {
        for (const seen of await look()) this.set({ kind: seen.kind }, valueOf(seen));
      },
    });
  gauge(
    'habeas_oldest_due_seconds',
    'Age of the oldest thing that is due and not done, by kind of work; 0 when nothing is due',
    ({ seconds }) => seconds ?? Number.NaN,
  );
  gauge('habeas_overdue_unread', '1 when what is due of a kind of work could not be read', ({ seconds }) =>
    seconds === null ? 1 : 0,
  );
}
