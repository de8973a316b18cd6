import { type Grant, type Role, roles, staffRoles, type Verb } from './roles.js';

type Answers = Partial<Record<Role, Grant>>;

const all = (who: readonly Role[], grant: Grant): Answers =>
  Object.fromEntries(who.map((role) => [role, grant]));

const workspaceRoles = ['owner', 'admin', 'member', 'viewer'] as const;
const signedIn: readonly Role[] = ['person', ...workspaceRoles, 'auditor', ...staffRoles];
const leaders = all(['owner', 'admin'], 'yes');
/** Who says where the workspace is told things; for the host’s own tenant, and so for all workspaces, headquarters. */
const tellers = all(['owner', 'admin', 'headquarters', 'webhooks:manage'], 'yes');
const own = all(signedIn, 'own');
const inWorkspace = all([...workspaceRoles, 'auditor', ...staffRoles, 'headquarters'], 'yes');

/**
 * Role × resource × verb: the one place that says who may do what. What is not here is forbidden. The guard asks it
 * on every call (`@Allow(resource, verb)`), docs/roles.md is printed from it.
 */
export const roleMatrix = {
  // Under /me: whoever signed in, for themselves.
  'own-requests': { read: own, create: own },
  'own-data': { read: own },
  'own-withdrawals': { create: own },
  'own-waivers': { create: own },
  'own-verifications': { create: own },
  'own-packages': { read: own },
  'own-package-links': { create: own, delete: own },
  'own-plans': { read: own },
  'own-certificates': { read: own },
  'own-recipients': { read: own },

  // Requests of a workspace and their sub-resources.
  requests: {
    read: {
      ...all(['owner', 'admin', 'auditor', 'support', 'requests:read'], 'metadata'),
      'privacy-lead': 'counts',
    },
    create: { ...leaders, 'requests:write': 'yes' },
  },
  // Over all that the host holds; staff file it at the desk, the person under /me.
  'account-requests': { create: { 'requests:write': 'host-only' } },
  approvals: { create: leaders },
  verifications: { create: { support: 'yes' } },
  extensions: { create: { support: 'yes' } },
  pauses: { create: { support: 'yes' }, delete: { support: 'yes' } },
  refusals: { create: { support: 'yes', 'privacy-lead': 'yes' } },
  withdrawals: { create: all(['owner', 'admin'], 'workspace-scope') },
  // The person's word, which staff only record.
  waivers: { create: { support: 'yes' } },
  notes: { read: { support: 'yes' }, create: { support: 'yes' } },
  retries: { create: { support: 'yes' } },
  packages: { read: { owner: 'workspace-scope', admin: 'if-owner-allows' } },
  'package-links': {
    create: { owner: 'workspace-scope', admin: 'if-owner-allows', support: 'mailed' },
    delete: { owner: 'workspace-scope', admin: 'if-owner-allows', support: 'yes' },
  },
  plans: { read: { ...all(['owner', 'admin'], 'workspace-scope'), support: 'metadata' } },
  certificates: { read: { ...all(['owner', 'admin'], 'workspace-scope'), auditor: 'yes', support: 'yes' } },
  // Who is told of an erasure, and when it was: of the parts in their own workspace. Whom it is about is staff's.
  recipients: { read: all(['owner', 'admin', 'support'], 'metadata') },
  'recipient-tasks': { read: { support: 'yes' } },
  'recipient-confirmations': { create: { ...leaders, support: 'yes' } },
  'recipient-attempts': { create: { support: 'yes' } },

  // What a workspace decides.
  deletion: {
    // Everybody in it sees the banner; what it says beyond status and dates, those who may act on it.
    read: {
      ...all(['member', 'viewer', 'auditor', 'privacy-lead'], 'metadata'),
      ...all(['owner', 'admin', 'support', 'requests:read'], 'yes'),
    },
    create: { owner: 'yes', support: 'yes', 'requests:write': 'host-only' },
    // An undo passes to support when the only owner leaves.
    delete: { ...leaders, support: 'yes', 'requests:write': 'host-only' },
  },
  retention: {
    read: { ...leaders, auditor: 'yes', 'privacy-lead': 'yes', headquarters: 'yes' },
    change: { ...leaders, headquarters: 'yes' },
  },
  residency: { read: inWorkspace, change: leaders },
  controller: { read: inWorkspace, change: { ...leaders, headquarters: 'yes' } },
  tokens: {
    read: { ...leaders, headquarters: 'yes' },
    create: { ...leaders, headquarters: 'yes' },
    delete: { ...leaders, headquarters: 'yes' },
  },
  auditors: {
    read: { ...leaders, headquarters: 'yes' },
    create: { owner: 'yes', headquarters: 'yes' },
    delete: { owner: 'yes', headquarters: 'yes' },
  },
  webhooks: { read: tellers, create: tellers, change: tellers, delete: tellers },
  events: {
    read: { ...leaders, auditor: 'yes', headquarters: 'yes', 'events:read': 'yes' },
    create: { 'events:write': 'yes' },
  },
  'suppression-checks': { create: { 'suppressions:check': 'yes' } },

  // The host's own desk, across workspaces.
  'desk-requests': { read: { support: 'metadata', 'privacy-lead': 'counts' }, create: { support: 'yes' } },
  'desk-overdue': { read: { support: 'yes', 'privacy-lead': 'counts' } },
  'orphaned-workspaces': { read: { support: 'metadata' } },
  holds: { read: { support: 'yes' }, create: { support: 'yes' }, delete: { support: 'yes' } },

  regions: { read: all(roles, 'yes') },
} as const satisfies Record<string, Partial<Record<Verb, Answers>>>;

export type Resource = keyof typeof roleMatrix;
export const resources = Object.keys(roleMatrix) as Resource[];

const matrix: Record<string, Partial<Record<string, Answers>> | undefined> = roleMatrix;

/** What the matrix says; undefined is a no, also for resources and verbs it has never heard of. */
export const grantOf = (role: Role, resource: string, verb: string): Grant | undefined =>
  Object.hasOwn(matrix, resource) ? matrix[resource]?.[verb]?.[role] : undefined;

/** Whether any of the roles may, and how far each goes. */
export function grantsOf(held: readonly Role[], resource: string, verb: string): Map<Role, Grant> {
  const found = held.map((role) => [role, grantOf(role, resource, verb)] as const);
  return new Map(found.filter((entry): entry is [Role, Grant] => entry[1] !== undefined));
}
