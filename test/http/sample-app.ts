import { setTimeout } from 'node:timers/promises';
import {
  Body,
  Controller,
  Delete,
  Get,
  Injectable,
  Logger,
  Module,
  Param,
  Post,
  Query,
  Res,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOkResponse } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Clock } from '../../src/clock.js';
import { Database } from '../../src/database/database.js';
import { HOST_TENANT, systemTenancy, type Tenancy } from '../../src/database/tenancy.js';
import { DomainError, notFound } from '../../src/errors.js';
import { AcceptForms, Allow, Public } from '../../src/http/allow.js';
import { createApp } from '../../src/http/bootstrap.js';
import { sendPage } from '../../src/http/html-page.js';
import { type HttpOptions } from '../../src/http/http-options.js';
import { createLog } from '../../src/http/log.js';
import { pageOf, PageQuery } from '../../src/http/paging.js';
import { Tenant } from '../../src/http/tenant.decorator.js';

const NewNote = z
  .strictObject({
    title: z.string().min(3),
    kind: z.enum(['short', 'long']).default('short'),
    tags: z.record(z.string(), z.number()).optional(),
    mail: z
      .string()
      .refine((text) => text.includes('@'), { error: (issue) => `${String(issue.input)} is no mail` })
      .optional(),
  })
  .meta({ id: 'NewNote' });
const Note = z.object({ id: z.string(), title: z.string(), at: z.date() }).meta({ id: 'Note' });

/** Counts what was really done, and what the log of the application was told besides. */
export const done = { notes: 0 };
let letGo: (() => void) | undefined;
/** A note titled `slow` waits until it is released. */
export const release = () => {
  letGo?.();
  letGo = undefined;
};
export async function untilSlow(): Promise<void> {
  for (let tries = 0; !letGo && tries < 500; tries++) await setTimeout(10);
  if (!letGo) throw new Error('nothing slow began');
}

@Controller('v1/workspaces/:workspaceId/notes')
class NotesController {
  private readonly logger = new Logger('Notes');
  constructor(private readonly database: Database) {}

  @Post()
  @Allow('note', 'create')
  async create(@Tenant() tenancy: Tenancy, @Body({ schema: NewNote }) note: z.infer<typeof NewNote>) {
    if (note.title === 'slow') await new Promise<void>((resolve) => (letGo = resolve));
    if (note.title === 'broken') throw new Error(`cannot store ${JSON.stringify(note)}`);
    if (note.title === 'irreversible') throw new DomainError('request.irreversible', 'Too late.');
    if (note.title === 'stale') throw new DomainError('auth.stale', 'Sign in again, then repeat the call.');
    if (note.title === 'postgres') {
      await this.database.within(tenancy, (tx) =>
        tx.query('insert into habeas.controllers (tenant_id, name, dpo) values ($1, $2, $2)', [
          note.mail,
          note.mail,
        ]),
      );
    }
    done.notes += 1;
    this.logger.log({ tenant: tenancy.tenant }, 'noted');
    return { id: String(done.notes), title: note.title, secret: 'shown-once-4711' };
  }

  @Get()
  @Allow('note', 'list')
  @ApiOkResponse({ standardSchema: pageOf(Note) })
  list(@Query({ schema: PageQuery }) query: PageQuery) {
    return { items: [query.limit], next: null };
  }

  @Delete(':noteId')
  @Allow('note', 'delete')
  remove(@Param('noteId') _id: string) {
    throw notFound('note');
  }
}

@Controller('d/:token')
@Public()
class LinkController {
  @Get()
  show(@Res() reply: FastifyReply) {
    return sendPage(
      reply,
      '<!doctype html><style>p{color:red}</style><form method="post"><button>Go</button></form>',
      {
        formTargets: ['https://storage.example'],
      },
    );
  }

  @Post()
  @AcceptForms()
  use(@Body() form: Record<string, string>) {
    return { fields: Object.keys(form) };
  }
}

/** Stands in for identity's, which lies above http: `Bearer <name>` is <name>. */
@Injectable()
class SampleGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const name = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const { workspaceId } = request.params as { workspaceId?: string };
    if (workspaceId && !name) throw new DomainError('auth.required', 'Sign in first.');
    if (name === 'viewer') throw new DomainError('auth.forbidden', 'Ask an owner.');
    request.principal = name && { name };
    request.principalId = name;
    request.tenancy = systemTenancy(workspaceId ?? HOST_TENANT, 'sample');
    return true;
  }
}

const withDatabase = (database: Database, clock: Clock) => {
  @Module({
    controllers: [NotesController, LinkController],
    providers: [
      { provide: APP_GUARD, useClass: SampleGuard },
      { provide: Database, useValue: database },
      { provide: Clock, useValue: clock },
    ],
  })
  class SampleModule {}
  return SampleModule;
};

export const config: HttpOptions['config'] = {
  production: false,
  publicUrl: 'http://127.0.0.1:3000',
  logLevel: 'trace',
  mail: { smtpUrl: undefined, from: 'Habeas <privacy@example.org>' },
};

export interface SampleApp {
  app: NestFastifyApplication;
  /** Everything logged so far. */
  log(): string;
}

/** A small application on the real thing: Fastify, the guard's place taken, the log in memory. */
export async function startSample(
  database: Database,
  options: Partial<HttpOptions> & { clock?: Clock } = {},
): Promise<SampleApp> {
  const lines: string[] = [];
  const log = createLog({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) });
  const app = await createApp(withDatabase(database, options.clock ?? new Clock()), {
    config,
    log,
    ...options,
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return { app, log: () => lines.join('') };
}

export const workspace = '10000000-0000-4000-8000-000000000001';
export const notes = `/v1/workspaces/${workspace}/notes`;
export const owner = { authorization: 'Bearer owner' };
