import { AsyncLocalStorage } from 'node:async_hooks';
import { type Tenancy } from '../database/tenancy.js';
import { type Answer } from './idempotency.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Put there by identity's guard. */
    tenancy?: Tenancy;
    /** Who calls, as identity sees it; http does not look inside. */
    principal?: unknown;
    /** A stable text for the caller, the same for every token of theirs; only its hash is ever stored. */
    principalId?: string;
    /** The code of the problem that was answered, for the log. */
    problemCode?: string;
    /** Set while a write that carries an Idempotency-Key runs. */
    keepAnswer?: (answer: Answer | undefined) => Promise<void>;
  }
  interface FastifyContextConfig {
    acceptsForms?: boolean;
  }
}

/** What every log line of one call shares. */
export const requestContext = new AsyncLocalStorage<{ requestId: string }>();
