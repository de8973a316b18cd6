import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AuditLog } from '../../src/audit/events.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { ErasureFiles } from '../../src/deletion/files/erasure-files.js';
import { RetentionFiles } from '../../src/deletion/retention/files.js';
import { RetentionLog } from '../../src/deletion/retention/audit-log.js';
import { RetentionRun } from '../../src/deletion/retention/run.js';
import { OpenAccessRequests } from '../../src/dsar/access/open-access.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { type ForeignHost, hostOf } from '../datamap/host.js';
import { TestClock } from '../support/clock.js';

/** A host without tenants: composite keys, threads, rooms three levels deep, partitions, days, times without a zone. */
const schema = `
create schema forum;
create table forum.person (id int primary key, mail text not null);
create table forum.post (
  board int, no int, author int references forum.person, posted timestamp not null, to_board int, to_no int,
  primary key (board, no), constraint post_answers foreign key (to_board, to_no) references forum.post
);
create table forum.drawing (
  id int primary key, board int, no int, path text,
  foreign key (board, no) references forum.post on delete cascade
);
create table forum.ticket (id int primary key, person int references forum.person, last_comment int);
create table forum.comment (
  id int primary key, ticket int not null references forum.ticket, made timestamptz not null,
  author int references forum.person
);
alter table forum.ticket add constraint ticket_last foreign key (last_comment) references forum.comment;
create table forum.room (id int primary key, closed timestamptz, host int references forum.person);
create table forum.message (
  id int primary key, room int not null references forum.room on delete cascade, author int references forum.person,
  answers int references forum.message on delete cascade
);
create table forum.paper (id int primary key, message int references forum.message on delete cascade, path text);
create index on forum.paper (message);
create table forum.visit (person int, day date not null, page text, primary key (day, page)) partition by range (day);
create table forum.visit_1 partition of forum.visit for values from ('2026-01-01') to ('2026-11-01');
create table forum.visit_2 partition of forum.visit for values from ('2026-11-01') to ('2027-01-01');
insert into forum.person values (1, 'one@x.example'), (2, 'two@x.example');
`;

const collection = (name: string, table: string, subject: string, retention: string, columns: string, more = '') => `
  ${name}:
    table: ${table}
    subject: ${subject}
    workspace: none
    controller: host
    purpose: p
    legalBasis: l
    retention: ${retention}
    columns: { ${columns.split(' ').map((column) => `${column}: { category: content }`).join(', ')} }
    erasure: { rule: delete }${more}`; // prettier-ignore

const map = `
version: 1
schema: forum
subjects:
  person: { table: person, key: id, identifiers: { mail: { column: mail, normalise: mail } } }
workspaces: none
controller: { name: Forum }
collections:
  people:
    table: person
    subject: { person: id }
    workspace: none
    controller: host
    purpose: p
    legalBasis: l
    retention: r
    columns: { id: { category: identity }, mail: { category: contact } }
    erasure: { rule: pseudonymise, set: { mail: pseudonym-mail } }${[
      collection('posts', 'post', '{ person: author }', '{ keep: P30D, after: posted }', 'board no author posted to_board to_no'),
      collection('drawings', 'drawing', '{ person: { column: author, join: [{ table: post, on: { board: board, no: no } }] } }', 'r', 'id board no path', '\n    files: { bucket: { constant: drawings }, path: path }'),
      collection('tickets', 'ticket', '{ person: person }', 'r', 'id person last_comment'),
      collection('comments', 'comment', '{ person: author }', '{ keep: P30D, after: made }', 'id ticket made author'),
      collection('rooms', 'room', '{ person: host }', '{ keep: P0D, after: closed }', 'id closed host'),
      collection('messages', 'message', '{ person: author }', 'r', 'id room author answers'),
      collection('papers', 'paper', '{ person: { column: author, join: [{ table: message, on: { message: id } }] } }', 'r', 'id message path', '\n    files: { bucket: { constant: papers }, path: path }'),
      collection('visits', 'visit', '{ person: person }', '{ keep: P30D, after: day }', 'person day page'),
    ].join('')}
`; // prettier-ignore

export class Forum {
  readonly clock = new TestClock();
  readonly stores: LocalStores;

  private constructor(
    readonly foreign: ForeignHost,
    private readonly folder: string,
  ) {
    this.stores = new LocalStores({ root: folder, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  }

  static async open(): Promise<Forum> {
    const folder = await mkdtemp(join(tmpdir(), 'habeas-forum-'));
    return new Forum(await hostOf(schema, map, 'forum.yaml'), folder);
  }

  sql<Row = Record<string, any>>(sql: string, values?: unknown[]): Promise<Row[]> {
    return this.foreign.database.behindTheScenes<Row>(sql, values);
  }

  async ids(from: string): Promise<number[]> {
    return (await this.sql<{ id: number }>(`select id from ${from} order by 1`)).map(({ id }) => id);
  }

  store(bucket: string, path: string): Promise<unknown> {
    return this.stores.bucket(bucket).put(path, Readable.from(['x']), { contentType: 'text/plain' });
  }

  /** One run over the host's own tenant, where everything of it belongs. */
  async run(database = this.foreign.database.database): Promise<void> {
    const { clock, foreign } = this;
    await this.sql('insert into habeas.retentions (tenant_id) values ($1) on conflict do nothing', [
      HOST_TENANT,
    ]);
    const host = new HostMap(foreign.map, foreign.catalogue);
    const audit = new AuditLog();
    await new RetentionRun({
      database,
      host,
      audit,
      clock,
      access: new OpenAccessRequests(clock),
      files: new RetentionFiles(database, new ErasureFiles(database, host, this.stores), clock),
      log: new RetentionLog(database),
      logKeep: 'P36M',
    }).run({ tenant: HOST_TENANT, id: HOST_TENANT });
  }

  /** Of the whole host's, from this moment on. */
  async hold(kind: string, key: string): Promise<void> {
    await this.sql(
      `insert into habeas.holds (tenant_id, subject_kind, subject_key, ground, review_on, placed_by, placed_at)
       values ($1, $2, $3, 'Order', '2027-05-01', 'test', $4)`,
      [HOST_TENANT, kind, key, this.clock.now()],
    );
  }

  failures(): Promise<Record<string, any>[]> {
    return this.sql('select collection, code, reason from habeas.retention_failures order by 1');
  }

  async close(): Promise<void> {
    await this.foreign.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
