import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config.js';
import { acceptedType } from '../http/accepted-type.js';
import { AcceptForms, Public } from '../http/allow.js';
import { callContextOf } from '../http/call-context.js';
import { sendPage } from '../http/html-page.js';
import { withProblemPages } from '../http/page-problem.js';
import { downloadPage, downloadProblems } from './download-page.js';
import { Downloads } from './downloads.js';
import { factsOf, PackageFacts } from './package-facts.js';

/** The link in the mail. Looking at it burns nothing, because mail scanners open every link. */
@ApiTags('links')
@Controller('d/:token')
@Public()
export class DownloadController {
  /** Where the answer to the form leads: Chromium holds redirects against form-action too. */
  private readonly storage: string;

  constructor(
    private readonly downloads: Downloads,
    @Inject(CONFIG) { storage, publicUrl }: Config,
  ) {
    this.storage = new URL(storage.supabaseUrl ?? publicUrl).origin;
  }

  @Get()
  @ApiOkResponse({
    standardSchema: PackageFacts,
    description: 'What would be downloaded; a page for browsers.',
  })
  look(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return withProblemPages(request, reply, downloadProblems, async () => {
      const found = factsOf(await this.downloads.look(token));
      if (acceptedType(request.headers.accept) === 'json') return reply.send(found);
      return sendPage(reply, downloadPage(found), { formTargets: [this.storage] });
    });
  }

  @Post()
  @AcceptForms()
  @HttpCode(303)
  @ApiResponse({ status: 303, description: 'The download is recorded; Location is good for five minutes.' })
  download(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return withProblemPages(request, reply, downloadProblems, async () =>
      reply.redirect(await this.downloads.fetch(token, callContextOf(request)), 303),
    );
  }
}
