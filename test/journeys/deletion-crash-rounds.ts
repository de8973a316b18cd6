import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { openStores } from '../../src/app/stores.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { AccessFulfilment } from '../../src/dsar/access/fulfilment.js';
import { DeletionFulfilment } from '../../src/dsar/deletion/fulfilment.js';
import { DELETION_FULFILMENT, MAIL_DELIVERY } from '../../src/dsar/queues.js';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { Queue } from '../../src/jobs/queue.js';
import { Outbox } from '../../src/mail/outbox.js';
import { CrashingWorker, type Grain } from '../support/crashing-worker.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { type Twin, twin } from './deletion-crash-person.js';

const MINUTE = 60_000;
type Rows = Map<string, Map<string, number>>;

/** One person's deletion, worked on by a process that is killed. */
export interface Round {
  person: Twin;
  requestId: string;
  diedAt: string | undefined;
  /** All steps that the worker took. */
  steps: string[];
  before: Rows;
  /** What the host's user row was called when the worker was gone. */
  mailAtDeath: string;
}

/** Deletions of people who are all alike, one after the other. */
export class DeletionCrashRounds {
  private readonly workers: CrashingWorker[] = [];
  private people = 0;

  private constructor(
    readonly desk: TestDesk,
    private readonly grain: Grain,
    private readonly folder: string,
  ) {}

  static async open(grain: Grain): Promise<DeletionCrashRounds> {
    const folder = await mkdtemp(join(tmpdir(), 'habeas-crash-map-'));
    const map = join(folder, 'datamap.yaml');
    await writeFile(map, withTombstones(await readFile('demo/datamap.yaml', 'utf8')));
    const desk = await TestDesk.open({ work: false, environment: { DATAMAP: map } });
    await desk.db.behindTheScenes('grant update on atelier.integrations to habeas_host');
    // A tombstone must not hang on a workspace, which goes as a whole one day.
    await desk.db.behindTheScenes(
      'alter table atelier.integrations drop constraint integrations_workspace_id_fkey',
    );
    await desk.lookAtHost();
    const rounds = new DeletionCrashRounds(desk, grain, folder);
    rounds.boot();
    return rounds;
  }

  /** Files the deletion of somebody new and lets a worker fulfil it until its n-th step, where it dies. */
  async killAtStep(n: number): Promise<Round> {
    const worker = this.workers.at(-1) as CrashingWorker;
    this.boot(); // the next round's, so that it need not be waited for
    const person = await twin(this.desk, (this.people += 1));
    await this.earlierPackage(person);
    // What the person before has left to the sweeps, such as their package's bytes, is no part of this round.
    await this.desk.sweep();
    const before = await this.rows();
    const filed = await person.caller.post('/v1/me/requests', {
      kind: 'deletion',
      coolingOff: 'PT0S',
      waiveAccessLock: true,
    });
    expect(filed.status).toBe(201);
    const requestId = (filed.body as { id: string }).id;
    await this.deliverAll();
    await worker.work(n);
    await eventually(async () => worker.killed || (await this.isDone(requestId)), MINUTE);
    const diedAt = worker.killed ? worker.lastStep : undefined;
    await worker.stop();
    const mailAtDeath = await this.mailOf(person);
    return { person, requestId, diedAt, steps: worker.steps, before, mailAtDeath };
  }

  /** What was queued went down with the worker: what is due is found from our own rows alone. */
  async recover({ requestId }: Round): Promise<void> {
    await this.desk.db.behindTheScenes('delete from habeas_jobs.job');
    this.desk.clock.advance(6 * MINUTE); // a mail in a dead worker's hands is claimed for five
    await this.desk.sweep();
    const queue = new Queue(this.desk.db.database, { onError: () => undefined });
    queue.register(DELETION_FULFILMENT, (job) => this.desk.app.get(DeletionFulfilment).run(job));
    queue.register(MAIL_DELIVERY, async (mail) => {
      await this.desk.app.get(Outbox).deliver(mail);
    });
    await queue.start();
    try {
      await eventually(() => this.isDone(requestId), MINUTE);
    } finally {
      await queue.stop();
    }
  }

  /** Finished once, by one certificate, one mail, one pseudonym, and nobody else's byte is another one. */
  async expectErasedOnce({ person, requestId, before, mailAtDeath }: Round): Promise<void> {
    const events = await this.desk.db.behindTheScenes<{ action: string; times: number }>(
      `select action, count(*)::int as times from habeas.events
       where tenant_id = $2 and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))
       group by action order by action`,
      [requestId, HOST_TENANT],
    );
    const once = [
      'identity.proven',
      'request.filed',
      'request.fulfilled',
      'request.irreversible',
      'request.scheduled',
      'request.started',
    ];
    expect(events).toEqual(events.map(({ action }) => ({ action, times: 1 })));
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(once));

    const [erasure, ...more] = await this.desk.db.behindTheScenes<{ id: string; wiped: boolean }>(
      'select id, job_sealed is null as wiped from habeas.erasures where job_id = $1',
      [requestId],
    );
    expect([more, erasure?.wiped]).toEqual([[], true]);
    const certificate = (await person.caller.get(`/v1/me/requests/${requestId}/certificate`)).body;
    expect(certificate).toMatchObject({
      erasureId: erasure?.id,
      residues: 0,
      final: false,
      pendingSweeps: [{ collection: 'integrations', rows: 2 }],
    });
    const counted = certificate.collections.map((c: { collection: string; rows: number; files: number }) => [
      c.collection,
      c.rows,
      c.files,
    ]);
    expect(Object.fromEntries(counted.map(([name, rows]: [string, number]) => [name, rows]))).toMatchObject({
      users: 1,
      memberships: 2,
      messages: 6,
      attachments: 6,
      integrations: 2,
    });
    expect(counted).toContainEqual(['attachments', 6, 6]);

    const name = await this.mailOf(person);
    expect(name).toMatch(/^deleted-[0-9a-f-]{36}@deleted\.invalid$/);
    if (mailAtDeath !== person.mail) expect(name).toBe(mailAtDeath);
    const told = (await this.desk.mails()).filter(
      ({ subject, to }) =>
        /has deleted your data/.test(subject ?? '') && to?.some(({ address }) => address === person.mail),
    );
    expect(told).toHaveLength(1);
    expect(JSON.parse(this.desk.enclosed(told[0]))).toEqual(certificate);

    const entries = [];
    for await (const found of this.desk.app.get(ErasureLedger).entries())
      if (!('entry' in found) || found.entry.jobId === requestId) entries.push(found);
    expect(entries).toMatchObject([{ entry: { erasureId: erasure?.id, jobId: requestId } }]);
    const suppressed =
      'select kind, count(*)::int as n from habeas.suppressions where erasure_id = $1 group by kind';
    // Number, mail and phone; the key is the number once more.
    expect(await this.desk.db.behindTheScenes(suppressed, [erasure?.id])).toEqual([{ kind: 'user', n: 3 }]);
    for (const { bucket, path } of person.files)
      expect(await openStores(this.desk.config).bucket(bucket).stat(path)).toBeNull();
    await this.expectOthersUntouched(person, requestId, before);
    await this.confirmTasks(requestId);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.desk.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Staff do by hand what a round leaves to them; overdue after a day of rounds, it would change the request's row. */
  private async confirmTasks(requestId: string): Promise<void> {
    const { config, clock } = this.desk;
    const support = this.desk.bearer(await demoTokens.issue(config.home, demoPeople.support, clock.now()));
    const recipientsIn = (tenant: string) => `/v1/workspaces/${tenant}/requests/${requestId}/recipients`;
    const tasks = await support.get(recipientsIn(HOST_TENANT));
    const items = tasks.body.items as { name: string; workspaceId?: string }[];
    expect(items.map(({ name }) => name)).toContain('sessions');
    for (const { name, workspaceId = HOST_TENANT } of items) {
      const confirmed = await support.post(`${recipientsIn(workspaceId)}/${name}/confirmations`, {});
      expect({ name, status: confirmed.status }).toEqual({ name, status: 201 });
    }
  }

  /** Every row that is gone or another one since was the person's, or is of their requests. */
  private async expectOthersUntouched(
    { userId, mail }: Twin,
    requestId: string,
    before: Rows,
  ): Promise<void> {
    const after = await this.rows();
    const theirs = new Set([userId, mail, requestId]);
    for (const { id } of await this.desk.db.behindTheScenes<{ id: string }>(
      `select unnest(array[id, job_id])::text as id from habeas.erasures where job_id = $1
       union select unnest($2::text[])`,
      [requestId, this.marks],
    ))
      theirs.add(id);
    const strangers: string[] = [];
    for (const [table, rows] of before)
      for (const [row, times] of rows) {
        if ((after.get(table)?.get(row) ?? 0) >= times) continue;
        if (![...theirs].some((mark) => row.toLowerCase().includes(mark))) strangers.push(`${table}: ${row}`);
      }
    expect(strangers).toEqual([]);
    for (const [table, rows] of after)
      if (table.startsWith('atelier.'))
        for (const row of rows.keys())
          if (!before.get(table)?.has(row) && ![...theirs].some((mark) => row.includes(mark)))
            strangers.push(`${table}: ${row}`);
    expect(strangers).toEqual([]);
  }

  /** Ids by which rows of the newest person are known that do not name them: of messages, packages, pseudonyms. */
  private marks: string[] = [];

  private async earlierPackage(person: Twin): Promise<void> {
    const { body } = await person.caller.post('/v1/me/requests', { kind: 'access' });
    await this.desk.app.get(AccessFulfilment).run({ tenant: HOST_TENANT, id: body.id as string });
    await this.deliverAll();
    const [built] = await this.desk.db.behindTheScenes(
      'select status, failure from habeas.requests where id = $1',
      [body.id],
    );
    expect(built).toEqual({ status: 'fulfilled', failure: null });
    const rows = await this.desk.db.behindTheScenes<{ id: string }>(
      `select id::text as id from habeas.packages where job_id = $1
       union select pseudonym::text from habeas.pseudonyms where subject_key = $2
       union select event_id::text from habeas.event_disclosures d
         join habeas.pseudonyms p on p.pseudonym = d.subject where p.subject_key = $2
       union select id::text from atelier.messages where author_id = $2::uuid
       union select id::text from atelier.integrations where connected_by = $2::uuid
       union select id::text from habeas.requests where id = $1`,
      [body.id, person.userId],
    );
    this.marks = rows.map(({ id }) => id);
  }

  private async deliverAll(): Promise<void> {
    const outbox = this.desk.app.get(Outbox);
    for await (const mail of outbox.due()) await outbox.deliver(mail);
    await this.desk.db.behindTheScenes('delete from habeas_jobs.job where name <> $1', [DELETION_FULFILMENT]);
  }

  private boot(): void {
    this.workers.push(CrashingWorker.boot(this.desk, this.grain));
  }

  private async mailOf({ userId }: Twin): Promise<string> {
    const [row] = await this.desk.db.behindTheScenes<{ email: string }>(
      'select email from atelier.users where id = $1',
      [userId],
    );
    return row?.email ?? '';
  }

  private async isDone(id: string): Promise<boolean> {
    const [row] = await this.desk.db.behindTheScenes<{ done: boolean; status: string; failure: unknown }>(
      `select status = 'fulfilled' and not exists (select from habeas.outbox where status = 'pending')
              and not exists (select from habeas_jobs.job where state = 'active') as done, status, failure
       from habeas.requests where id = $1`,
      [id],
    );
    if (row?.status === 'failed') throw new Error(JSON.stringify(row.failure));
    return row?.done ?? false;
  }

  /** Every row of the host and of Habeas as text, by table, with how often it is there. */
  private async rows(): Promise<Rows> {
    const tables = await this.desk.db.behindTheScenes<{ name: string }>(
      // When retention looks next is written anew every hour, whoever is deleted.
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('atelier', 'habeas') and c.relname <> 'retentions'
         and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    const all: Rows = new Map();
    for (const { name } of tables) {
      const rows = await this.desk.db.behindTheScenes<{ row: string; n: number }>(
        `select t::text as row, count(*)::int as n from ${name} as t group by 1`,
      );
      all.set(name, new Map(rows.map(({ row, n }) => [row, n])));
    }
    return all;
  }
}

/** The demo's map, with one collection whose rows stay as tombstones for a while. */
function withTombstones(yaml: string): string {
  const [before, after] = yaml.split('  integrations:\n') as [string, string];
  const rule = 'erasure: { rule: tombstone, clear: [connected_by, account_name] }';
  return `${before}  integrations:\n${after.replace('erasure: { rule: delete }', rule)}`;
}
