const day = 86_400_000;

/** Atelier opened here, and the demo's story ends here; nothing asks what time it really is. */
export const opening = Date.UTC(2023, 8, 4, 7, 30);
export const firstMessage = Date.UTC(2024, 2, 4, 8, 0);
export const lastMessage = Date.UTC(2026, 9, 30, 17, 0);

/** `at` milliseconds since 1970, moved by whole or broken days, as ISO 8601 in UTC. */
export const moment = (at: number, days = 0): string => new Date(at + Math.round(days * day)).toISOString();
