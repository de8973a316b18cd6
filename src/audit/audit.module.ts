import { Module } from '@nestjs/common';
import { EventIntake } from './event-intake.js';
import { EventLog } from './event-log.js';
import { EventsController } from './events.controller.js';

@Module({ controllers: [EventsController], providers: [EventIntake, EventLog] })
export class AuditModule {}
