import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { DomainError, notFound } from '../errors.js';
import { Public } from '../http/allow.js';
import { DEMO_PEOPLE, type DemoPeople, demoTokens } from './demo-tokens.js';

const NewSession = z.strictObject({
  person: z.string().min(1).max(60).describe('A name of GET /demo/people'),
});
const Session = z.object({ token: z.string(), workspaceId: z.uuid(), userId: z.string() });
const People = z.object({
  items: z.array(
    z.object({ person: z.string(), displayName: z.string(), workspaceId: z.uuid(), userId: z.string() }),
  ),
});

/** Signs anybody of the demo in, without a password: only where no identity provider is configured. */
@ApiTags('Demo')
@Public()
@Controller('demo')
export class DemoController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DEMO_PEOPLE) private readonly people: DemoPeople,
    private readonly clock: Clock,
  ) {
    if (!config.demoSignIn) throw new Error('the demo sign-in must not be mounted here');
  }

  @Get('people')
  @ApiOkResponse({ standardSchema: People })
  list() {
    const items = Object.entries(this.people).map(([person, { displayName, workspaceId, userId }]) => ({
      person,
      displayName,
      workspaceId,
      userId,
    }));
    return { items };
  }

  @Post('sessions')
  @ApiCreatedResponse({ standardSchema: Session })
  async open(@Body({ schema: NewSession }) { person }: z.infer<typeof NewSession>) {
    const found = Object.hasOwn(this.people, person) ? this.people[person] : undefined;
    if (!found) throw this.config.demoHost ? notFound('person') : noDemoPeople();
    const token = await demoTokens.issue(this.config.home, found, this.clock.now());
    return { token, workspaceId: found.workspaceId, userId: found.userId };
  }
}

// Of a real host nobody is a demo person: its people come with tokens of its own identity provider.
const noDemoPeople = () =>
  new DomainError(
    'person.not_found',
    'There are no demo people with a data map of your own (DATAMAP). To sign in with your own tokens, set ' +
      'AUTH_JWT_SECRET (or AUTH_JWKS_URL), AUTH_ISSUER and AUTH_AUDIENCE.',
  );
