import { Readable } from 'node:stream';
import { Controller, Get, Inject, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Public } from '../http/allow.js';
import { withProblemPages } from '../http/page-problem.js';
import { LocalStores } from '../storage/local-store.js';
import { OBJECT_STORES, type ObjectStores } from '../storage/object-store.js';
import { serveObject } from '../storage/serve-object.js';
import { downloadProblems } from './download-page.js';

/** Serves the addresses that the local store signs. With another store there is nothing here. */
@ApiExcludeController()
@Controller('objects')
@Public()
export class ObjectsController {
  constructor(@Inject(OBJECT_STORES) private readonly stores: ObjectStores) {}

  @Get('*')
  serve(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { stores } = this;
    if (!(stores instanceof LocalStores)) throw new NotFoundException();
    return withProblemPages(request, reply, downloadProblems, async () => {
      // The address as it was signed: a router would decode it.
      const { bucket, path, downloadAs } = stores.grantedBy(request.raw.url ?? '');
      const { range, 'if-range': ifRange } = request.headers;
      const headOnly = request.method === 'HEAD';
      const question = { range, ifRange: [ifRange].flat()[0], downloadAs, headOnly };
      const { status, headers, stream } = await serveObject(stores.bucket(bucket), path, question);
      // An empty stream keeps a HEAD's content-length, which Fastify would put to 0 for none. When the client
      // goes away, Fastify destroys the stream, and that closes the file.
      const body = stream ?? Readable.from([]);
      return reply.code(status).headers(headers).send(body);
    });
  }
}
