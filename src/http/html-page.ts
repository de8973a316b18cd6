import { type FastifyReply } from 'fastify';
import { pagePolicy } from './security-headers.js';

/** Text as it may stand in HTML, attributes included. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Sends one of our own pages. Its `<style>` elements work, scripts and style attributes do not.
 * @param formTargets other origins that its form may end at, e.g. the storage a download is redirected to
 */
export function sendPage(
  reply: FastifyReply,
  html: string,
  { status = 200, formTargets = [] }: { status?: number; formTargets?: readonly string[] } = {},
): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', pagePolicy(html, formTargets))
    .header('cache-control', 'no-store')
    .send(html);
}
