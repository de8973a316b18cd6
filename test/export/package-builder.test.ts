import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { AuditLog } from '../../src/audit/events.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { eventually } from '../support/eventually.js';
import { PackageBuilding } from './package-building.js';

const run = promisify(execFile);
const member = { kind: 'user', key: demoPeople.member.userId };
const viewer = { kind: 'user', key: demoPeople.viewer.userId };

describe('a package', () => {
  let building: PackageBuilding;
  beforeAll(async () => {
    building = await PackageBuilding.open();
  });
  afterAll(() => building.close());

  const sql = <Row = Record<string, any>>(text: string, values?: unknown[]) =>
    building.db.behindTheScenes<Row>(text, values);

  /** Takes the package and does something else in the middle of it. */
  const meanwhile = (work: () => Promise<unknown>): ObjectStore => {
    const store = Object.create(building.store) as ObjectStore;
    store.put = (path, source, options) => building.store.put(path, paused(source, work), options);
    return store;
  };

  test('is one snapshot: what is written while it is built is not in it, whatever was read first', async () => {
    // More than fits between Postgres and the store, so that the COPY is still running when the rows come.
    await sql(
      `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
       select workroom_id, workspace_id, author_id, sha256(i::text::bytea) || sha256((i+1)::text::bytea), '\\x00', sent_at
       from (select * from atelier.messages where author_id = $1 limit 1) m, generate_series(1, 40000) i`,
      [viewer.key],
    );
    const counted = async () => {
      const [row] = await sql<{ messages: number; memberships: number; invoices: number }>(
        `select (select count(*)::int from atelier.messages where author_id = $1) as messages,
                (select count(*)::int from atelier.memberships where user_id = $1) as memberships,
                (select count(*)::int from atelier.invoices where billed_user_id = $1) as invoices`,
        [viewer.key],
      );
      return row;
    };
    const before = await counted();
    let running = 0;
    const store = meanwhile(async () => {
      const copies = await sql(
        `select 1 from pg_stat_activity where datname = current_database() and state = 'active' and query ~ '^copy'`,
      );
      running = copies.length;
      await sql(
        `insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
         select workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at
         from atelier.messages where author_id = $1 limit 100`,
        [viewer.key],
      );
      await sql(
        `insert into atelier.invoices select 'late-' || number, workspace_id, $1, billed_name, amount, currency, line_items, issued_on, paid_at
         from atelier.invoices limit 1`,
        [viewer.key],
      );
      await sql('delete from atelier.memberships where user_id = $1', [viewer.key]);
    });
    const its = await building.build(await building.job([viewer]), store);
    expect(running).toBe(1);
    expect({
      messages: its.rows('messages').length,
      memberships: its.rows('memberships').length,
      invoices: its.rows('invoices').length,
    }).toEqual(before);
    expect(await counted()).not.toEqual(before);
    for (const { path, rows, collection } of its.manifest.data)
      expect({ path, rows }).toEqual({ path, rows: its.rows(collection).length });
  });

  test('of the same data has the same bytes, and the same masks', async () => {
    const job = await building.job([member]);
    const [once, again] = [await building.build(job), await building.build(job)];
    expect(again.zip.equals(once.zip)).toBe(true);
  });

  test('masks other people: the same one alike within a package, and differently in another’s', async () => {
    // Two people who were invited into a workspace by the same colleague.
    const [pair] = await sql<{ inviter: string; one: string; two: string }>(
      `select invited_by as inviter, min(user_id::text) as one, max(user_id::text) as two from atelier.memberships
       where invited_by is not null and invited_by <> user_id group by invited_by having count(distinct user_id) > 1 limit 1`,
    );
    await sql(
      `insert into atelier.workroom_invitations (workroom_id, invited_by, invited_email, invited_user, created_at)
       select (select id from atelier.workrooms limit 1), $1, 'x@example.org', u, now()
       from unnest(array[$2, $3]::uuid[]) as u`,
      [pair?.inviter, pair?.one, pair?.two],
    );
    const masks = async (key: string) => {
      const its = await building.build(await building.job([{ kind: 'user', key }]));
      const ofMembership = its
        .rows('memberships')
        .map(({ invited_by }) => invited_by as string)
        .filter(Boolean);
      const ofInvitation = its.rows('invitations_received').map(({ invited_by }) => invited_by as string);
      expect(its.text).not.toContain(pair?.inviter);
      return { ofMembership, ofInvitation };
    };
    const one = await masks(pair?.one ?? '');
    const two = await masks(pair?.two ?? '');
    const common = one.ofMembership.find((mask) => one.ofInvitation.includes(mask));
    expect(common).toMatch(/^person:[0-9a-f]{32}$/);
    expect([...two.ofMembership, ...two.ofInvitation]).not.toContain(common);
  });

  test('holds no secret of anybody, and no address or number of anybody else', async () => {
    const secrets = await sql<{ value: string }>(
      `select password_hash as value from atelier.users where password_hash is not null
       union all select encode(s, f) from atelier.users, unnest(array[byok_key_sealed, byok_key_nonce]) s, unnest(array['hex', 'base64']) f
       union all select encode(s, f) from atelier.integrations,
         unnest(array[access_token_sealed, access_token_nonce, refresh_token_sealed, refresh_token_nonce]) s, unnest(array['hex', 'base64']) f`,
    );
    const contacts = await sql<{ value: string; whose: string }>(
      `select email as value, id::text as whose from atelier.users union all select phone, id::text from atelier.users
       union all select email, id::text from atelier.customers union all select phone, id::text from atelier.customers
       union all select invited_email, invited_user::text from atelier.workroom_invitations`,
    );
    const own = new Set([demoPeople.member.mail]);
    const customers = await sql<{ id: string }>('select id from atelier.customers where lower(email) = $1', [
      demoPeople.member.mail,
    ]);
    const subjects = [member, ...customers.map(({ id }) => ({ kind: 'customer', key: id }))];
    const its = await building.build(await building.job(subjects));
    const theirs = new Set([...subjects.map(({ key }) => key)]);
    for (const { value, whose } of contacts) if (theirs.has(whose)) own.add(value);
    const found = [
      ...secrets.map(({ value }) => value),
      ...contacts.map(({ value }) => value).filter((value) => !own.has(value)),
    ].filter((value) => value && value.length > 5 && its.text.toLowerCase().includes(value.toLowerCase()));
    expect(secrets.length).toBeGreaterThan(50);
    expect(its.rows('users')).toHaveLength(1);
    expect(found).toEqual([]);
  });

  test('counts every value that is sealed, and none that is null', async () => {
    const counted = async () => {
      const its = await building.build(await building.job([member]));
      const rows = its.rows('messages');
      const sealed = rows.filter(({ body_sealed }) => body_sealed !== null).length;
      const messages = its.manifest.data.find(({ collection }) => collection === 'messages');
      expect(messages?.sealedValues).toBe(sealed);
      expect(its.manifest.sealedValues).toBe(sealed);
      return { rows: rows.length, sealed };
    };
    const all = await counted();
    expect(all.sealed).toBe(all.rows);
    await sql('alter table atelier.messages alter column body_sealed drop not null');
    await sql(
      `update atelier.messages set body_sealed = null
       where id in (select id from atelier.messages where author_id = $1 order by id limit 7)`,
      [member.key],
    );
    await building.watch.look();
    expect(await counted()).toEqual({ rows: all.rows, sealed: all.rows - 7 });
  });

  test('gives attachments names that unpack where they belong, whatever the host called them', async () => {
    const nasty = [
      '../../../../etc/cron.d/habeas',
      '..\\..\\windows\\system32\\evil.dll',
      '/etc/passwd',
      'C:\\autoexec.bat',
      'line\u2028separator\u2029.pdf',
      'two\nlines\r.txt',
      '\u202egnp.exe',
      `${'😀'.repeat(150)}.png`,
      '名'.repeat(300),
      'a'.repeat(400) + '.tar.gz',
      'CON',
      'aux.txt',
      '.bash_profile',
      'dots and spaces. . .',
      '   ',
      '..',
      '',
      'a"b<c>d|e?f*g:h.txt',
      '\u0001\u007f.bin',
      'é e\u0301.txt',
    ];
    const [file] = await sql<{ message_id: string; bucket: string; path: string }>(
      `select a.message_id, a.bucket, a.path from atelier.attachments a join atelier.messages m on m.id = a.message_id
       where m.author_id = $1 limit 1`,
      [member.key],
    );
    // One file serves for all: bucket and path need not be unique here.
    await sql('alter table atelier.attachments drop constraint if exists attachments_bucket_path_key');
    for (const name of nasty)
      await sql(
        `insert into atelier.attachments values (gen_random_uuid(), $1, $2, $3, $4, 'text/plain', 1, now())`,
        [file?.message_id, file?.bucket, file?.path, name],
      );
    const its = await building.build(await building.job([member]));
    const listed = its.manifest.files.map(({ name }) => name);
    expect(listed).toEqual(expect.arrayContaining(nasty)); // the manifest keeps them as they were
    for (const { path, bytes } of its.manifest.files) {
      expect(path).toMatch(/^files\/attachments\/\d{4,}-[^/\\]+$/);
      expect(path).toBe(path.replace(/[\p{Cc}\u2028\u2029\u202e]/gu, ''));
      expect(path).not.toMatch(/[. ]$/);
      expect(Buffer.byteLength(path.split('/').at(-1) ?? '')).toBeLessThanOrEqual(255);
      expect(its.files.get(path)).toHaveLength(bytes);
    }
    expect(its.manifest.missingFiles).toEqual([]);
    await expectUnpacks(its.zip, its.files.size);
  });

  test('holds files whose path is written with a leading slash, and lists as missing what no bucket can hold', async () => {
    const files = await sql<{ id: string; path: string }>(
      `select a.id, a.path from atelier.attachments a join atelier.messages m on m.id = a.message_id
       where m.author_id = $1 order by a.id limit 4`,
      [viewer.key],
    );
    const written = [
      `/${files[0]?.path ?? ''}`,
      '../up',
      'https://x.example/storage/v1/object/public/a/b',
      '',
    ];
    for (const [n, path] of written.entries())
      await sql('update atelier.attachments set path = $2 where id = $1', [files[n]?.id, path]);
    const { manifest } = await building.build(await building.job([viewer]));
    const [first, ...others] = files.map(({ id }) => [id]);
    expect(manifest.files.map(({ key }) => key)).toContainEqual(first);
    expect(manifest.missingFiles.map(({ key }) => key)).toEqual(others);
  });

  describe('tells what the log knows of a person', () => {
    const customer = { kind: 'customer', key: '' };
    const audit = new AuditLog();
    const at = (tenant: string, action: `${string}.${string}`, details: Parameters<AuditLog['record']>[2]) =>
      building.database.within(systemTenancy(tenant, 'test'), (tx) => audit.record(tx, action, details));

    test('all their events in every tenant, each once, with their own disclosures and nobody else’s', async () => {
      const [row] = await sql<{ id: string }>('select id from atelier.customers where lower(email) = $1', [
        demoPeople.member.mail,
      ]);
      customer.key = row?.id ?? '';
      const ids = {
        asUser: await at(HOST_TENANT, 'test.user', {
          subjects: [member],
          disclosures: [
            { path: 'context.ip', value: '192.0.2.1', subject: member },
            { path: 'metadata.other', value: 'words of the viewer', subject: viewer },
          ],
        }),
        asBoth: await at(workspaceIds.acme, 'test.both', {
          subjects: [member, customer, viewer],
          disclosures: [
            { path: 'a', value: 'of the user', subject: member },
            { path: 'b', value: 'of the customer', subject: customer },
            { path: 'c', value: 'of the viewer', subject: viewer },
            { path: 'd', value: 'of nobody known' },
          ],
        }),
        asCustomer: await at(workspaceIds.borealis, 'test.customer', { subjects: [customer] }),
      };
      await at(workspaceIds.acme, 'test.foreign', { subjects: [viewer] });
      const its = await building.build(await building.job([customer, member]));
      const events = its.rows('audit_events');
      expect(events.map(({ id }) => id as string)).toEqual(Object.values(ids).sort());
      const disclosures = Object.fromEntries(events.map(({ id, disclosures: own }) => [id, own]));
      expect(disclosures).toEqual({
        [ids.asUser]: { 'context.ip': '192.0.2.1' },
        [ids.asBoth]: { a: 'of the user', b: 'of the customer' },
        [ids.asCustomer]: {},
      });
      expect(its.text).not.toContain('of the viewer');
      expect(its.text).not.toContain(viewer.key);
    });

    test('of one workspace only, when only that one is asked', async () => {
      const its = await building.build(
        await building.job([customer, member], {
          scope: 'person',
          tenant: workspaceIds.acme,
          workspaces: [workspaceIds.acme],
        }),
      );
      expect(its.rows('audit_events').map(({ action }) => action as string)).toEqual(['test.both']);
      expect(new Set(its.rows('messages').map(({ workspace_id }) => workspace_id as string))).toEqual(
        new Set([workspaceIds.acme]),
      );
    });
  });

  test('given up in the middle, fifty times over, poisons no connection and leaves nothing behind', async () => {
    const job = await building.job([viewer]);
    const builder = building.builder(meanwhile(() => Promise.reject(new Error('enough'))));
    for (let round = 0; round < 25; round += 1) {
      const both = await Promise.allSettled(
        [1, 2].map((n) => builder.build(job, `account/aborted-${n}.zip`)),
      );
      expect(both.map((one) => one.status === 'rejected' && (one.reason as Error).message)).toEqual([
        'enough',
        'enough',
      ]);
    }
    // As many at once as the pool has connections: each works, as nobody, in no transaction.
    const seen = await Promise.all(
      Array.from({ length: 40 }, () =>
        building.database.queueSql(
          `select current_user as who, coalesce(current_setting('habeas.selves', true), '') as selves,
                  coalesce(current_setting('habeas.subjects', true), '') as subjects`,
        ),
      ),
    );
    for (const { rows } of seen) expect(rows).toEqual([{ who: 'habeas_login', selves: '', subjects: '' }]);
    await eventually(async () => {
      const left = await sql<{ state: string }>(
        `select state from pg_stat_activity where datname = current_database() and usename = 'habeas_login' and state <> 'idle'`,
      );
      return left.length === 0;
    });
    expect((await building.build(job)).rows('messages').length).toBeGreaterThan(40_000);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('habeas-list-'))).toEqual([]);
    const listed: string[] = [];
    for await (const { path } of building.store.list('account')) listed.push(path);
    expect(listed).toEqual(['account/test.zip']);
  });

  test('stops when it is told to stop', async () => {
    const stop = new AbortController();
    const store = meanwhile(() => {
      stop.abort(new Error('the service ends'));
      return Promise.resolve();
    });
    const built = building
      .builder(store)
      .build(await building.job([viewer]), 'account/stopped.zip', stop.signal);
    await expect(built).rejects.toThrow('the service ends');
    expect(await building.store.stat('account/stopped.zip')).toBeNull();
  });
});

/** The source, with something happening once its first bytes are there. */
function paused(source: Readable, work: () => Promise<unknown>): Readable {
  const read = async function* (): AsyncGenerator<Buffer> {
    let first = true;
    for await (const chunk of source) {
      if (first) await work();
      first = false;
      yield chunk as Buffer;
    }
  };
  return Readable.from(read(), { objectMode: false });
}

async function expectUnpacks(zip: Buffer, files: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'habeas-unpack-'));
  try {
    const file = join(folder, 'package.zip');
    await writeFile(file, zip);
    const tools: [string, string[]][] = [
      ['unzip', ['-q', file, '-d', join(folder, 'unzip')]],
      [
        'python3',
        [
          '-c',
          `import zipfile,sys; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])`,
          file,
          join(folder, 'python3'),
        ],
      ],
    ];
    for (const [tool, args] of tools) {
      const missing = await run(tool, args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } }).then(
        () => false,
        (cause: unknown) => {
          const error = cause as { code?: unknown; stderr?: string };
          if (error.code === 'ENOENT') return true; // not on every machine
          throw new Error(`${tool}: ${error.stderr ?? ''}`);
        },
      );
      if (missing) continue;
      const unpacked = await readdir(join(folder, tool), { recursive: true, withFileTypes: true });
      expect(unpacked.filter((entry) => entry.isFile())).toHaveLength(files);
    }
    expect(
      (await readdir(folder)).filter((name) => !['package.zip', 'unzip', 'python3'].includes(name)),
    ).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
