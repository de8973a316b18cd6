import { type DemoName, demoPeople, formerMember, workspaceIds } from '../../demo/people.js';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { permissions, type Role } from '../../src/identity/roles.js';
import { type Caller, type TestDesk } from '../support/desk.js';

export interface NamedCaller {
  name: string;
  caller: Caller;
  /** Outside workspaces; none: nobody signed in. */
  outside: readonly Role[];
  /** In Acme; none: Acme is none of their business. */
  inAcme: readonly Role[];
}

/** Everybody there is: each demo role, a former member, a token of each permission, a foreign token, nobody. */
export async function everybody(desk: TestDesk): Promise<NamedCaller[]> {
  const people: Record<DemoName, readonly Role[]> = {
    owner: ['owner'],
    admin: ['admin'],
    member: ['member'],
    viewer: ['viewer'],
    neighbour: [],
    auditor: ['auditor'],
    support: ['support'],
    'privacy-lead': ['privacy-lead'],
  };
  const owner = await desk.as('owner');
  const neighbour = await desk.as('neighbour');
  const granted = await owner.post(`/v1/workspaces/${workspaceIds.acme}/auditors`, {
    userId: demoPeople.auditor.userId,
  });
  if (granted.status !== 201) throw new Error('the auditor was not let in');

  const found: NamedCaller[] = [];
  for (const [name, roles] of Object.entries(people) as [DemoName, readonly Role[]][]) {
    const staff = roles.filter((role) => role === 'support' || role === 'privacy-lead');
    found.push({
      name,
      caller: await desk.as(name),
      outside: ['person', ...staff],
      inAcme: roles.length > 0 ? ['person', ...roles] : [],
    });
  }
  const past = await demoTokens.issue(desk.config.home, formerMember, desk.clock.now());
  found.push({ name: 'former member', caller: desk.bearer(past), outside: ['person'], inAcme: [] });
  const tokenOf = async (who: Caller, workspace: string, held: readonly string[]) =>
    desk.bearer(
      (await who.post(`/v1/workspaces/${workspace}/tokens`, { name: 'Test', permissions: held })).body
        .token as string,
    );
  for (const permission of permissions)
    found.push({
      name: `token with ${permission}`,
      caller: await tokenOf(owner, workspaceIds.acme, [permission]),
      outside: [permission],
      inAcme: [permission],
    });
  found.push({
    name: 'token of another workspace',
    caller: await tokenOf(neighbour, workspaceIds.borealis, permissions),
    outside: permissions,
    inAcme: [],
  });
  found.push({ name: 'nobody', caller: desk.anybody(), outside: [], inAcme: [] });
  return found;
}
