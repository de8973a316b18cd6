/** What a host app's token may be good for. */
export const permissions = [
  'requests:read',
  'requests:write',
  'events:read',
  'events:write',
  'suppressions:check',
  'webhooks:manage',
] as const;
export type Permission = (typeof permissions)[number];

export const staffRoles = ['support', 'privacy-lead'] as const;
export type StaffRole = (typeof staffRoles)[number];

/** In whose eyes somebody acts: one caller may wear several, and may do what any of them may. */
export const roles = [
  'person', // everybody who signed in, for their own things
  'owner',
  'admin',
  'member',
  'viewer',
  'auditor', // let in by an owner; need not be a member
  ...staffRoles,
  'headquarters', // the privacy lead in the host's own tenant, where account matters live
  ...permissions,
] as const;
export type Role = (typeof roles)[number];

/** A state change is a resource that is created or deleted, so four verbs are enough. */
export const verbs = ['read', 'create', 'change', 'delete'] as const;
export type Verb = (typeof verbs)[number];

/** How far a yes goes. What only the handler can know (whose request it is), the handler checks. */
export const grants = {
  yes: 'yes',
  own: 'own things only',
  metadata: 'status and dates, never contents',
  counts: 'counts and dates',
  'workspace-scope': 'only for requests of scope workspace; never a person’s package',
  'if-owner-allows': 'if the owner allows it (adminMayDownload)',
  'host-only':
    'only by a token of the host’s own tenant; a workspace’s deletion only for a subscription that ended',
  mailed: 'the link goes to the person by mail; the caller never sees it',
} as const;
export type Grant = keyof typeof grants;
