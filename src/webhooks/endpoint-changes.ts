import { type UnitOfWork } from '../database/unit-of-work.js';

/** What becomes of an endpoint, in the audit log's words. */
export interface EndpointChange {
  action: `webhook.${string}`;
  webhookId: string;
  outcome?: 'failure';
  /** Codes only. */
  metadata?: Record<string, unknown>;
}

type Listener = (tx: UnitOfWork, change: EndpointChange) => Promise<void>;

/** Tells upper layers of each change, in the transaction that makes it: they write it into the log. */
export class EndpointChanges {
  private readonly listeners: Listener[] = [];

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  async tell(tx: UnitOfWork, change: EndpointChange): Promise<void> {
    for (const listener of this.listeners) await listener(tx, change);
  }
}
