import { Module } from '@nestjs/common';
import { Directory } from '../database/directory.js';
import { ControllerProfileController } from './controller-profile.controller.js';
import { ControllerProfiles } from './controller-profiles.js';
import { ResidencyController } from './residency.controller.js';
import { Residency } from './residency.js';

@Module({
  controllers: [ResidencyController, ControllerProfileController],
  providers: [Directory, Residency, ControllerProfiles],
  exports: [Residency, ControllerProfiles],
})
export class ResidencyModule {}
