import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { type Logger } from 'pino';
import { Registry } from 'prom-client';
import { HTTP_OPTIONS, LOG, type HttpOptions } from './http-options.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { InputPipe } from './input.js';
import { OperationsController } from './operations.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { ReadinessChecks } from './readiness.js';

/** Everywhere: the log (LOG), metrics (Registry of prom-client), readiness checks. */
@Global()
@Module({})
export class HttpModule {
  static with(options: HttpOptions, log: Logger, metrics: Registry, filter: ProblemFilter): DynamicModule {
    return {
      module: HttpModule,
      controllers: [OperationsController],
      providers: [
        { provide: HTTP_OPTIONS, useValue: options },
        { provide: LOG, useValue: log },
        { provide: Registry, useValue: metrics },
        { provide: APP_FILTER, useValue: filter },
        { provide: APP_PIPE, useClass: InputPipe },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        ReadinessChecks,
      ],
      exports: [LOG, Registry, ReadinessChecks],
    };
  }
}
