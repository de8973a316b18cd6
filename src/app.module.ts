import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { Bell } from './app/bell.js';
import { type Environment } from './app/environment.js';
import { AuditModule } from './audit/audit.module.js';
import { CoreModule } from './core.module.js';
import { DeletionModule } from './deletion/deletion.module.js';
import { RetentionModule } from './deletion/retention/retention.module.js';
import { DsarModule } from './dsar/dsar.module.js';
import { OpenAccessModule } from './dsar/access/open-access.module.js';
import { OverdueModule } from './dsar/desk/overdue.module.js';
import { RecipientsDoorModule } from './dsar/recipients/recipients-door.module.js';
import { WorkspaceDeletionModule } from './dsar/workspace-deletion/deletion.module.js';
import { DemoSignInModule } from './identity/demo-sign-in.module.js';
import { IdentityModule } from './identity/identity.module.js';
import { KeysModule } from './keys/keys.module.js';
import { MailModule } from './mail/mail.module.js';
import { ResidencyModule } from './residency/residency.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** The whole service, standing on an environment that is open. */
@Module({})
export class AppModule {
  static with(environment: Environment): DynamicModule {
    const demo = environment.config.demoSignIn ? [DemoSignInModule] : [];
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        CoreModule.with(environment),
        KeysModule,
        MailModule,
        WebhooksModule,
        AuditModule,
        IdentityModule,
        ResidencyModule,
        DeletionModule,
        OpenAccessModule,
        RetentionModule,
        DsarModule,
        OverdueModule,
        RecipientsDoorModule,
        WorkspaceDeletionModule,
        ...demo,
      ],
      providers: [Bell],
    };
  }
}
