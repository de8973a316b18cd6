import { Module } from '@nestjs/common';
import { DsarModule } from '../dsar.module.js';
import { RecipientCasework } from './casework.js';
import { OwnRecipientsController, RecipientsController } from './recipients.controller.js';
import { RecipientsModule } from './recipients.module.js';

/** What people see of recipients, and do about them. */
@Module({
  imports: [DsarModule, RecipientsModule],
  controllers: [OwnRecipientsController, RecipientsController],
  providers: [RecipientCasework],
})
export class RecipientsDoorModule {}
