import { createHash } from 'node:crypto';

/** What an API needs from a browser: nothing. */
const nothing = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** On every answer. Addresses hold tokens, so no referrer leaves. */
const always: Readonly<Record<string, string>> = {
  'content-security-policy': nothing,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-permitted-cross-domain-policies': 'none',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'x-robots-tag': 'noindex, nofollow',
};

/** The headers of every answer; promises https for two years where PUBLIC_URL is https for sure. */
export const securityHeaders = (production: boolean): Readonly<Record<string, string>> =>
  production ? { ...always, 'strict-transport-security': 'max-age=63072000' } : always;

const privatePaths = ['/v1/', '/d/', '/p/', '/demo/'];

/** Answers below these paths are about somebody: no cache may keep them. */
export const isPrivate = (url: string): boolean => privatePaths.some((path) => url.startsWith(path));

/**
 * The policy of one of our own HTML pages: no script at all, and only the styles that are in it.
 * @param formTargets origins that a form may lead to, redirects included (Chromium checks those too)
 */
export function pagePolicy(html: string, formTargets: readonly string[] = []): string {
  const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(
    ([, css = '']) => `'sha256-${createHash('sha256').update(css).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `style-src ${styles.join(' ') || "'none'"}`,
    "img-src 'self' data:",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
