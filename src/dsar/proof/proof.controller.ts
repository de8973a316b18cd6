import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { certificateText } from '../../deletion/certificate/certificate.js';
import { DomainError } from '../../errors.js';
import { acceptedType } from '../../http/accepted-type.js';
import { AcceptForms, Public } from '../../http/allow.js';
import { callContextOf } from '../../http/call-context.js';
import { sendPage } from '../../http/html-page.js';
import { withProblemPages } from '../../http/page-problem.js';
import { ErasureCertificate } from '../deletion/plans.schema.js';
import { ProofLinks } from './links.js';
import { proofPage, proofProblems } from './page.js';
import { ProofAction, ProofFacts } from './proof.schema.js';

/** The link that proves an address; afterwards it shows what becomes of the request. */
@ApiTags('links')
@Controller('p/:token')
@Public()
export class ProofController {
  constructor(private readonly links: ProofLinks) {}

  @Get()
  @ApiOkResponse({ standardSchema: ProofFacts, description: 'What the link is for; a page for browsers.' })
  look(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return withProblemPages(request, reply, proofProblems, async () => {
      const found = await this.links.look(token);
      if (acceptedType(request.headers.accept) === 'json') return reply.send(found);
      return sendPage(reply, proofPage(found, token));
    });
  }

  @Get('certificate')
  @ApiOkResponse({ standardSchema: ErasureCertificate, description: 'A signed file, without personal data.' })
  certificate(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return withProblemPages(request, reply, proofProblems, async () => {
      const certificate = await this.links.certificate(token);
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="certificate-${certificate.erasureId}.json"`)
        .send(certificateText(certificate));
    });
  }

  @Post()
  @AcceptForms()
  @HttpCode(200)
  @ApiOkResponse({
    standardSchema: ProofFacts,
    description: 'How things are now; 303 to the page for browsers.',
  })
  act(
    @Param('token') token: string,
    @Body({ schema: ProofAction }) asked: ProofAction,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return withProblemPages(request, reply, proofProblems, async () => {
      // A withdrawal is always said in words.
      const action = asked?.action ?? 'confirm';
      const inProgram = acceptedType(request.headers.accept) === 'json';
      try {
        const now = await this.links[action](token, callContextOf(request));
        if (inProgram) return await reply.code(200).send(now);
      } catch (error) {
        // Pressed twice: the page shows how things are.
        const over =
          error instanceof DomainError && ['proof.already_used', 'request.closed'].includes(error.code);
        if (inProgram || !over) throw error;
      }
      // Relative, so that the way back is right behind any proxy.
      return reply.redirect(token, 303);
    });
  }
}
