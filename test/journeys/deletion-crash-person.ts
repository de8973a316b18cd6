/** People who are all alike: what one erasure does in its n-th step, the next one does in its n-th too. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { workspaceIds } from '../../demo/people.js';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { openStores } from '../../src/app/stores.js';
import { type Caller, type TestDesk } from '../support/desk.js';

const BUCKET = 'attachments';

export interface Twin {
  userId: string;
  mail: string;
  files: { bucket: string; path: string }[];
  caller: Caller;
}

const uuidOf = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

const person = `
  insert into atelier.users (id, email, display_name, language, country, phone, password_hash, settings, tags, storage_bytes,
                             created_at)
  values ($1, $2, $3, 'en', 'DE', $4, 'secret', '{}', '{}', 0, now())`;

const places = `
  insert into atelier.memberships (workspace_id, user_id, role, joined_at)
  select workspace, $1, 'member', now() from unnest($2::uuid[]) as workspace`;

// In the same rooms as everybody: the rooms stay.
const messages = `
  insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
  select room.id, room.workspace_id, $1, '\\x00', '\\x00', now()
  from unnest($2::uuid[]) as workspace
  cross join lateral (select w.id, w.workspace_id from atelier.workrooms w
    where w.workspace_id = workspace and w.owner_id is not null order by w.id limit 1) as room
  cross join generate_series(1, 3)
  returning id`;

const attachments = `
  insert into atelier.attachments (id, message_id, bucket, path, name, media_type, bytes, created_at)
  select gen_random_uuid(), m.id, $2, $3 || '/' || m.id, 'note.txt', 'text/plain', 5, now()
  from unnest($1::bigint[]) as m(id) returning bucket, path`;

const integration = `
  insert into atelier.integrations (id, workspace_id, connected_by, provider, account_name, scopes, created_at)
  select gen_random_uuid(), workspace, $1, 'calendar', $3, '{}', now() from unnest($2::uuid[]) as workspace`;

/** A member of two workspaces, with rows and files in both and with rows that become tombstones. */
export async function twin(desk: TestDesk, n: number): Promise<Twin> {
  const userId = uuidOf(`twin ${n}`);
  const mail = `twin.${n}.of.many@twins.example`;
  const name = `Twin Number${n}`;
  const workspaces = [workspaceIds.acme, workspaceIds.borealis];
  const sql = <Row>(text: string, values: unknown[]) => desk.db.behindTheScenes<Row>(text, values);
  await sql(person, [userId, mail, name, `+4930${String(9_000_000 + n)}`]);
  await sql(places, [userId, workspaces]);
  const written = await sql<{ id: string }>(messages, [userId, workspaces]);
  const ids = written.map(({ id }) => id);
  const files = await sql<{ bucket: string; path: string }>(attachments, [ids, BUCKET, `twins/${userId}`]);
  for (const { bucket, path } of files)
    await openStores(desk.config)
      .bucket(bucket)
      .put(path, Readable.from([Buffer.from('hello')]), { contentType: 'text/plain' });
  await sql(integration, [userId, workspaces, mail]);
  const signedIn = { userId, workspaceId: workspaceIds.acme, mail, displayName: name };
  const token = await demoTokens.issue(desk.config.home, signedIn, desk.clock.now());
  return { userId, mail, files, caller: desk.bearer(token) };
}
