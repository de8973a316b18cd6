import { type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../errors.js';
import { acceptedType } from './accepted-type.js';
import { sendPage } from './html-page.js';
import './request-context.js';
import { type Page } from './page-layout.js';
import { layout } from './page-layout.js';
import { html } from './html.js';
import { statusOf } from './problems.js';

/** What a page says instead of a problem document, by code; a code without one gets a general page. */
export type ProblemPages = Readonly<Record<string, (error: DomainError) => Page>>;

/**
 * Answers; what is refused on the way becomes a page for those who read pages, with the status that the code has,
 * and stays problem+json for everybody else.
 */
export async function withProblemPages(
  request: FastifyRequest,
  reply: FastifyReply,
  pages: ProblemPages,
  answer: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await answer();
  } catch (error) {
    const foreseen = error instanceof DomainError && statusOf(error.code) !== 500;
    if (!foreseen || acceptedType(request.headers.accept) !== 'html') throw error;
    request.problemCode = error.code;
    const page = pages[error.code]?.(error) ?? general(error);
    return sendPage(reply, layout(page), { status: statusOf(error.code) });
  }
}

const general = (error: DomainError): Page => ({
  title: statusOf(error.code) === 503 ? 'Please try again in a little while' : 'This did not work',
  body: html`<p>${error.message}</p>`,
});
