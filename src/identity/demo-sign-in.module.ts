import { Module } from '@nestjs/common';
import { DemoController } from './demo.controller.js';

/** Imported only when `config.demoSignIn`; the app provides DEMO_PEOPLE. */
@Module({ controllers: [DemoController] })
export class DemoSignInModule {}
