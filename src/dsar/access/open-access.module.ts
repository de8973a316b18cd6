import { Global, Module } from '@nestjs/common';
import { OPEN_ACCESS } from '../../deletion/open-access.js';
import { OpenAccessRequests } from './open-access.js';

/** Answers deletion's question whose access is open, wherever it is asked. */
@Global()
@Module({
  providers: [{ provide: OPEN_ACCESS, useClass: OpenAccessRequests }],
  exports: [OPEN_ACCESS],
})
export class OpenAccessModule {}
