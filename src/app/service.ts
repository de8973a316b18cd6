import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import { createApp } from '../http/bootstrap.js';
import { Auditors } from '../identity/auditors.js';
import { SweepRegistry, type SweepOutcome } from '../jobs/sweep-registry.js';
import { Bell } from './bell.js';
import { letDemoAuditorIn } from './demo-host.js';
import { type Environment, openEnvironment } from './environment.js';
import { type Foundation } from './foundation.js';
import { portProblem } from './port.js';

export interface Duties {
  /** Answers HTTP. */
  web: boolean;
  /** Does jobs and rings the sweeps. */
  work: boolean;
}

/** The running service: one process with one or both duties, on an environment of its own. */
export class Service {
  private constructor(
    private readonly environment: Environment,
    private readonly app: NestFastifyApplication,
  ) {}

  /** Opens everything and starts. What fails on the way closes what was opened before. */
  static async start(foundation: Foundation, duties: Duties): Promise<Service> {
    const { config, log } = foundation;
    const environment = await openEnvironment(foundation);
    try {
      const app = await createApp(AppModule.with(environment), {
        config,
        log,
        trustedProxies: config.trustedProxies,
      });
      const service = new Service(environment, app);
      await service.begin(duties);
      return service;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  /** One round of every sweep. */
  sweep(): Promise<SweepOutcome[]> {
    return this.app.get(SweepRegistry).runAll();
  }

  /** Takes no more calls, finishes what runs, and then closes what the work stood on. */
  async stop(): Promise<void> {
    await this.app.get(Bell).stop();
    await this.app.getHttpAdapter().close();
    await this.environment.queue.stop();
    await this.app.close();
    await this.environment.close();
  }

  /** Nothing that the demo's owner may not have changed; that somebody did is no reason not to start. */
  private async admitDemoAuditor(): Promise<void> {
    const { log } = this.environment;
    await letDemoAuditorIn(this.app.get(Auditors, { strict: false })).catch((error: unknown) =>
      log.warn({ err: error, code: 'demo.auditor' }, 'the demo’s auditor could not be let in'),
    );
  }

  private async begin({ web, work }: Duties): Promise<void> {
    const { config, queue } = this.environment;
    await this.app.init();
    if (config.demoHost) await this.admitDemoAuditor();
    await queue.start({ work });
    if (web) {
      await this.app.listen(config.port, config.host).catch((error: unknown) => {
        throw portProblem(error as Error, config.host, config.port);
      });
    }
    const bell = this.app.get(Bell);
    bell.sweeping = work;
    // What fell due while nothing ran should not wait a minute more.
    if (work) void bell.sweep();
  }
}
