import { Module } from '@nestjs/common';
import { Webhooks } from './webhooks.js';

@Module({ providers: [Webhooks], exports: [Webhooks] })
export class WebhooksModule {}
