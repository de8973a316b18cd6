import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { type Logger } from 'pino';
import { LOG } from '../http/http-options.js';
import { SweepRegistry } from '../jobs/sweep-registry.js';
import { HostWatch } from './host-watch.js';

const EVERY_MINUTE = 60_000;

/** Rings every minute; what is due is found by queries, so that a missed or a doubled ring does no harm. */
@Injectable()
export class Bell {
  /** Off in a process that only answers HTTP. */
  sweeping = false;
  private ringing: Promise<unknown> = Promise.resolve();
  private ended = false;

  constructor(
    @Inject(LOG) private readonly log: Logger,
    private readonly sweeps: SweepRegistry,
    private readonly watch: HostWatch,
  ) {}

  @Interval(EVERY_MINUTE)
  look(): Promise<void> {
    return this.guarded('data map', () => this.watch.look());
  }

  @Interval(EVERY_MINUTE)
  sweep(): Promise<void> {
    if (!this.sweeping) return Promise.resolve();
    return this.guarded('sweeps', async () => {
      for (const { name, error } of await this.sweeps.runAll())
        if (error !== undefined) this.log.error({ err: error, sweep: name }, 'a sweep failed; it runs again');
    });
  }

  /** No more rings; waits for what runs. */
  async stop(): Promise<void> {
    this.ended = true;
    await this.ringing;
  }

  private async guarded(what: string, work: () => Promise<void>): Promise<void> {
    if (this.ended) return;
    const round = work().catch((error: unknown) => {
      this.log.warn({ err: error, component: what }, 'a round failed; the next one is in a minute');
    });
    this.ringing = Promise.all([this.ringing, round]);
    await round;
  }
}
