// Rows of Atelier as schema.sql names them, in the shapes that JSON can carry into Postgres: bytea as `\x…`,
// bigint and numeric as text, moments in ISO 8601.

export interface WorkspaceRow {
  id: string;
  name: string;
  slug: string;
  plan_code: string;
  settings: unknown;
  created_at: string;
}

export interface UserRow {
  id: string;
  email: string;
  display_name: string;
  language: string | null;
  country: string | null;
  phone: string | null;
  password_hash: string | null;
  byok_key_sealed: string | null;
  byok_key_nonce: string | null;
  settings: unknown;
  tags: string[];
  storage_bytes: string;
  last_seen_at: string | null;
  created_at: string;
}

export type Role = 'owner' | 'admin' | 'member' | 'viewer';

export interface MembershipRow {
  workspace_id: string;
  user_id: string;
  role: Role;
  invited_by: string | null;
  joined_at: string;
}

export interface CustomerRow {
  id: string;
  workspace_id: string;
  email: string;
  name: string | null;
  phone: string | null;
  language: string | null;
  notes: string | null;
  profile: unknown;
  created_at: string;
}

export interface WorkroomRow {
  id: string;
  workspace_id: string;
  owner_id: string | null;
  title: string;
  topic: string | null;
  labels: string[];
  created_at: string;
  archived_at: string | null;
}

export interface MessageRow {
  id: string;
  workroom_id: string;
  workspace_id: string;
  author_id: string | null;
  customer_id: string | null;
  body_sealed: string;
  body_nonce: string;
  mentioned: string[] | null;
  client: unknown;
  reply_to: string | null;
  sent_at: string;
  edited_at: string | null;
}

export interface AttachmentRow {
  id: string;
  message_id: string;
  bucket: string;
  path: string;
  name: string;
  media_type: string;
  bytes: string;
  created_at: string;
}

export interface InvitationRow {
  id: string;
  workroom_id: string;
  invited_by: string | null;
  invited_email: string;
  invited_user: string | null;
  greeting: string | null;
  created_at: string;
  accepted_at: string | null;
}

export interface IntegrationRow {
  id: string;
  workspace_id: string;
  connected_by: string | null;
  provider: string;
  account_name: string | null;
  access_token_sealed: string | null;
  access_token_nonce: string | null;
  refresh_token_sealed: string | null;
  refresh_token_nonce: string | null;
  scopes: string[];
  expires_at: string | null;
  created_at: string;
}

export interface InvoiceRow {
  number: string;
  workspace_id: string;
  billed_user_id: string | null;
  billed_name: string;
  amount: string;
  currency: string;
  line_items: unknown;
  issued_on: string;
  paid_at: string | null;
}

/** One file of the object store. */
export interface StoredObject {
  bucket: string;
  path: string;
  bytes: Buffer;
}
