import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { projectFile } from '../../src/config.js';
import { grantOf, grantsOf, resources } from '../../src/identity/role-matrix.js';
import { rolePage } from '../../src/identity/role-page.js';
import {
  type Grant,
  grants,
  permissions,
  type Role,
  roles,
  type Verb,
  verbs,
} from '../../src/identity/roles.js';

const cells = roles.flatMap((role) =>
  resources.flatMap((resource) =>
    verbs.map((verb) => ({ role, resource, verb, grant: grantOf(role, resource, verb) })),
  ),
);
const allowed = (role: Role, except: (resource: string, verb: Verb) => boolean = () => false) =>
  cells
    .filter((cell) => cell.role === role && cell.grant && !except(cell.resource, cell.verb))
    .map(({ resource, verb, grant }) => `${resource} ${verb}: ${grant ?? 'no'}`);
const whoMay = (resource: string, verb: Verb): Partial<Record<Role, Grant>> =>
  Object.fromEntries(
    cells
      .filter((cell) => cell.resource === resource && cell.verb === verb && cell.grant)
      .map((c) => [c.role, c.grant]),
  );
const isOwn = (resource: string) => resource.startsWith('own-') || resource === 'regions';

describe('the role matrix', () => {
  test('has an answer for every role, resource and verb', () => {
    expect(cells).toHaveLength(roles.length * resources.length * verbs.length);
    for (const { grant } of cells) if (grant !== undefined) expect(Object.keys(grants)).toContain(grant);
  });

  test('has no resource and no role that is good for nothing', () => {
    for (const resource of resources)
      expect(cells.some((c) => c.resource === resource && c.grant)).toBe(true);
    for (const role of roles) expect(allowed(role)).not.toEqual([]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'packages ', ''])(
    'knows no resource and no verb %j',
    (word) => {
      for (const role of roles) {
        expect(grantOf(role, word, 'read')).toBeUndefined();
        expect(grantOf(role, 'regions', word)).toBeUndefined();
      }
    },
  );

  test('gives several roles all that any of them may', () => {
    expect([...grantsOf(['member', 'support'], 'notes', 'create')]).toEqual([['support', 'yes']]);
    expect(grantsOf([], 'regions', 'read').size).toBe(0);
  });
});

describe('by the matrix', () => {
  test('only owners, and admins whom the owner allows, get the package of a workspace', () => {
    expect(whoMay('packages', 'read')).toEqual({ owner: 'workspace-scope', admin: 'if-owner-allows' });
    expect(whoMay('package-links', 'create')).toEqual({
      owner: 'workspace-scope',
      admin: 'if-owner-allows',
      support: 'mailed',
    });
  });

  test('no token gets a package, a link or anybody’s own things', () => {
    const forbidden = resources.filter((r) => r.includes('package') || r.startsWith('own-'));
    for (const permission of permissions)
      expect(allowed(permission).filter((cell) => forbidden.some((r) => cell.startsWith(`${r} `)))).toEqual(
        [],
      );
  });

  test.each(['member', 'viewer'] as const)(
    'a %s has their own things, sees who decides and whether the workspace goes, no more',
    (role) => {
      const seen = ['deletion read: metadata', 'residency read: yes', 'controller read: yes'];
      expect(allowed(role, isOwn)).toEqual(seen);
    },
  );

  test('whoever is only signed in has their own things', () => {
    expect(allowed('person', isOwn)).toEqual([]);
  });

  test('an auditor reads and changes nothing', () => {
    const others = cells.filter((c) => c.role === 'auditor' && c.grant && !isOwn(c.resource));
    expect(new Set(others.map(({ verb }) => verb))).toEqual(new Set(['read']));
    expect(whoMay('requests', 'read').auditor).toBe('metadata');
    expect(whoMay('events', 'read').auditor).toBe('yes');
  });

  test('support runs the desk, and decides nothing for a workspace', () => {
    const desk = [
      'desk-requests',
      'verifications',
      'extensions',
      'refusals',
      'retries',
      'holds',
      'notes',
      'pauses',
    ];
    for (const resource of desk) expect(whoMay(resource, 'create').support).toBe('yes');
    for (const resource of ['packages', 'events', 'tokens', 'auditors', 'webhooks', 'own-packages'])
      expect(whoMay(resource, 'read').support ?? 'no').toBe(resource === 'own-packages' ? 'own' : 'no');
    expect(cells.filter((c) => c.role === 'support' && c.verb === 'change' && c.grant)).toEqual([]);
  });

  test('a privacy lead sees counts and dates, and may refuse', () => {
    expect(whoMay('desk-requests', 'read')['privacy-lead']).toBe('counts');
    expect(whoMay('requests', 'read')['privacy-lead']).toBe('counts');
    expect(allowed('privacy-lead', (resource, verb) => isOwn(resource) || verb === 'read')).toEqual([
      'refusals create: yes',
    ]);
  });

  test('only an owner lets an auditor in', () => {
    expect(whoMay('auditors', 'create')).toEqual({ owner: 'yes', headquarters: 'yes' });
  });

  test('an owner schedules the end of a workspace, or the host and support for it; admins only undo it', () => {
    const may = { owner: 'yes', support: 'yes', 'requests:write': 'host-only' };
    expect(whoMay('deletion', 'create')).toEqual(may);
    expect(whoMay('deletion', 'delete')).toEqual({ ...may, admin: 'yes' });
  });

  test('only owners and admins decide about people’s parts', () => {
    expect(whoMay('approvals', 'create')).toEqual({ owner: 'yes', admin: 'yes' });
  });

  test('each permission of a token opens its own door', () => {
    expect(allowed('events:write', isOwn)).toEqual(['events create: yes']);
    expect(allowed('events:read', isOwn)).toEqual(['events read: yes']);
    expect(allowed('suppressions:check', isOwn)).toEqual(['suppression-checks create: yes']);
    expect(allowed('webhooks:manage', isOwn)).toEqual(
      ['read', 'create', 'change', 'delete'].map((verb) => `webhooks ${verb}: yes`),
    );
    expect(allowed('requests:read', isOwn)).toEqual(['requests read: metadata', 'deletion read: yes']);
    expect(allowed('requests:write', isOwn)).toEqual([
      'requests create: yes',
      'account-requests create: host-only',
      'deletion create: host-only',
      'deletion delete: host-only',
    ]);
  });
});

test('docs/roles.md says what the matrix says (HABEAS_PRINT_ROLES=1 prints it again)', () => {
  const file = projectFile('docs', 'roles.md');
  if (process.env.HABEAS_PRINT_ROLES === '1') writeFileSync(file, rolePage());
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(rolePage());
});
