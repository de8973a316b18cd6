import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { type RateLimit } from './rate-limits.js';

export interface HttpOptions {
  config: Pick<Config, 'production' | 'publicUrl' | 'logLevel' | 'mail'>;
  /** Where lines go; a new log on stdout when absent. */
  log?: Logger;
  /** Absent: the ones in rate-limits.ts. */
  limits?: readonly RateLimit[];
  /** Addresses or ranges whose X-Forwarded-For counts; none when absent. */
  trustedProxies?: readonly string[];
}

export const HTTP_OPTIONS = Symbol('http options');
export const LOG = Symbol('log');
