import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition holds; fails with its name when it never does. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  limitMs = 20_000,
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const held = await condition();
    if (held) return held;
    if (Date.now() > giveUpAt) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await sleep(25);
  }
}
