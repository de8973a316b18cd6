import { Injectable } from '@nestjs/common';
import { DomainError } from '../errors.js';

export interface Check {
  ok: boolean;
  /** For operators; public, so no addresses and no values. */
  detail?: string;
  /** It works, and somebody should look. */
  warning?: string;
}

const PATIENCE_MS = 3000;

/** What must hold before calls are sent here. Modules register their own; http knows none of them. */
@Injectable()
export class ReadinessChecks {
  private readonly checks = new Map<string, () => Promise<Check>>();

  register(name: string, check: () => Promise<Check>): void {
    this.checks.set(name, check);
  }

  /** All of them at once; one that throws, or takes longer than three seconds, has failed. */
  async run(): Promise<{ ok: boolean; checks: Record<string, Check> }> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await outcomeOf(check)] as const),
    );
    return { ok: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) };
  }
}

async function outcomeOf(check: () => Promise<Check>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<Check>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: 'no answer in time' }), PATIENCE_MS);
  });
  try {
    return await Promise.race([check(), tooSlow]);
  } catch (error) {
    return { ok: false, detail: error instanceof DomainError ? error.code : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
