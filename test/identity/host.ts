import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Global, Module, Param, Post, type Type } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { AuditLog } from '../../src/audit/events.js';
import { Clock } from '../../src/clock.js';
import { CONFIG, type Config, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { type Tenancy } from '../../src/database/tenancy.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { Allow, Public } from '../../src/http/allow.js';
import { createApp } from '../../src/http/bootstrap.js';
import { Caller, Tenant } from '../../src/http/tenant.decorator.js';
import { DEMO_PEOPLE, demoTokens, type DemoPeople, type DemoPerson } from '../../src/identity/demo-tokens.js';
import { DemoSignInModule } from '../../src/identity/demo-sign-in.module.js';
import { IdentityModule } from '../../src/identity/identity.module.js';
import { ResidencyModule } from '../../src/residency/residency.module.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** Teams with uuids, clubs with numbers: the second kind of key is no tenant id by itself. */
const sql = `
  create schema crew;
  create table crew.people (id uuid primary key, mail text not null, name text, left_at timestamptz);
  create table crew.teams (id KEY primary key, title text not null);
  create table crew.members (team KEY not null, person uuid not null, role text not null, primary key (team, person));`;

const yaml = `
version: 1
schema: crew
subjects:
  person:
    table: people
    key: id
    where: t.left_at is null
    identifiers: { id: { column: id, normalise: exact }, mail: { column: mail, normalise: mail } }
    display: name
    signIn: { claim: sub, column: id }
workspaces:
  table: teams
  key: id
  name: title
  memberships: { table: members, workspace: team, subject: { person: person }, role: role }
controller: { name: Crew }
collections: {}
`;

export const acme = 'ac3e0000-0000-4000-8000-000000000001';
export const other = 'b0ea1150-0000-4000-8000-000000000002';
export const missing = 'dead0000-0000-4000-8000-00000000000f';
const id = (n: number) => `00000000-0000-4000-a000-00000000000${n}`;

/** In team Acme by their names; neighbour owns the other team; outsider is in none; staff have no row. */
export const people = {
  owner: person(1),
  admin: person(2),
  member: person(3),
  viewer: person(4),
  neighbour: { ...person(5), workspaceId: other },
  outsider: person(6),
  support: { ...person(7), staff: ['support'] },
  'privacy-lead': { ...person(8), staff: ['privacy-lead'] },
} satisfies DemoPeople;
export type Name = keyof typeof people;

function person(n: number): DemoPerson {
  return { userId: id(n), workspaceId: acme, mail: `p${n}@crew.example`, displayName: `Person ${n}` };
}

/** Says what the guard found, for each kind of right that the tests ask about. */
@Controller('probe')
class Probe {
  @Get('open') @Public() open() {
    return { open: true };
  }
  @Get('undeclared') undeclared() {
    return { open: true };
  }
  @Get('own') @Allow('own-requests', 'read') own(@Tenant() tenancy: Tenancy, @Caller() principal: unknown) {
    return { tenancy, principal };
  }
  @Get('desk') @Allow('desk-requests', 'read') desk(@Tenant() tenancy: Tenancy) {
    return { tenancy };
  }
  @Get('in/:workspaceId/:what')
  @Allow('requests', 'read')
  requests(@Tenant() tenancy: Tenancy, @Caller() principal: unknown, @Param('what') what: string) {
    return { tenancy, principal, what };
  }
  @Post('in/:workspaceId/requests') @Allow('requests', 'create') file() {
    return { filed: true };
  }
  @Post('in/:workspaceId/package') @Allow('packages', 'read') fetch() {
    return { fetched: true };
  }
}

export interface Crew {
  db: TestDatabase;
  clock: TestClock;
  home: string;
  app: NestFastifyApplication;
  host: HostMap;
  config: Config;
  tokenOf(name: Name): Promise<string>;
  call(method: string, url: string, as?: Name | { bearer: string }, body?: object): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** The service's identity and residency over real HTTP handling and a real database, with a small host. */
export async function crew(
  key: 'uuid' | 'integer' = 'uuid',
  environment: NodeJS.ProcessEnv = {},
): Promise<Crew> {
  const db = await createDatabase();
  const home = await mkdtemp(join(process.env.HABEAS_TEST_HOME ?? tmpdir(), 'identity-'));
  const clock = new TestClock();
  await db.behindTheScenes(sql.replaceAll('KEY', key));
  await arrange(db, key === 'uuid' ? [acme, other] : ['17', '18']);
  const map = parseDataMap(yaml, { file: 'crew.yaml' });
  await db.behindTheScenes(grantsFor(map, await readCatalogue(asRunner(db))));
  const host = new HostMap(map, await readCatalogue(asRunner(db)));
  const config = readConfig({ HABEAS_HOME: home, LOG_LEVEL: 'silent', ...environment });
  const clearAway = () => Promise.all([db.drop(), rm(home, { recursive: true, force: true })]);
  const options = { config, log: pino({ level: 'silent' }), limits: [] };
  const module = feature(core({ db, clock, host, config }), config);
  const app = await createApp(module, options).catch(async (error: unknown) => {
    await clearAway();
    throw error;
  });
  await app.init();
  const tokenOf = (name: Name) => demoTokens.issue(home, people[name], clock.now());
  return {
    ...{ db, clock, home, app, host, config, tokenOf },
    call: async (method, url, as, payload) => {
      const bearer = typeof as === 'string' ? await tokenOf(as) : as?.bearer;
      const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const answer = await app.inject({ method: method as 'GET', url, headers, payload });
      return {
        status: answer.statusCode,
        body: answer.body === '' ? {} : answer.json(),
      };
    },
    close: async () => {
      await app.close();
      await clearAway();
    },
  };
}

const asRunner = (db: TestDatabase) => ({
  query: <Row>(text: string, values?: readonly unknown[]) =>
    db.behindTheScenes<Row>(text, values && [...values]),
});

async function arrange(db: TestDatabase, [first, second]: string[]): Promise<void> {
  for (const { userId, mail, displayName, staff } of Object.values<DemoPerson>(people)) {
    if (!staff)
      await db.behindTheScenes('insert into crew.people values ($1, $2, $3)', [userId, mail, displayName]);
  }
  await db.behindTheScenes(`insert into crew.teams values ($1, 'Acme'), ($2, 'Other')`, [first, second]);
  for (const role of ['owner', 'admin', 'member', 'viewer'] as const)
    await db.behindTheScenes('insert into crew.members values ($1, $2, $3)', [
      first,
      people[role].userId,
      role,
    ]);
  await db.behindTheScenes(`insert into crew.members values ($1, $2, 'owner')`, [
    second,
    people.neighbour.userId,
  ]);
}

function core({ db, clock, host, config }: Pick<Crew, 'db' | 'clock' | 'host' | 'config'>): Type {
  const provided = [
    { provide: Database, useValue: db.database },
    { provide: Clock, useValue: clock },
    { provide: CONFIG, useValue: config },
    { provide: HostMap, useValue: host },
    { provide: DEMO_PEOPLE, useValue: config.demoHost ? people : {} },
    AuditLog,
  ];
  @Global()
  @Module({ providers: provided, exports: provided.map((p) => ('provide' in p ? p.provide : p)) })
  class Core {}
  return Core;
}

function feature(shared: Type, config: Config): Type {
  const demo = config.demoSignIn ? [DemoSignInModule] : [];
  @Module({ imports: [shared, IdentityModule, ResidencyModule, ...demo], controllers: [Probe] })
  class Feature {}
  return Feature;
}
