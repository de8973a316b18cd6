import { Module } from '@nestjs/common';
import { HoldsController } from './holds.controller.js';
import { Holds } from './holds.js';
import { SuppressionsController } from './suppressions.controller.js';
import { Suppressions } from './suppressions.js';

@Module({
  controllers: [HoldsController, SuppressionsController],
  providers: [Holds, Suppressions],
  exports: [Holds, Suppressions],
})
export class DeletionModule {}
