import { Injectable } from '@nestjs/common';
import { type SubjectRef } from '../database/tenancy.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type WorkspaceRole } from '../datamap/map.js';
import { mailsOf } from '../datamap/people.js';
import { workspaceId } from '../datamap/workspace-id.js';
import { isNobodys } from '../mail/mail-address.js';

export interface Membership {
  /** The host's key of the workspace. */
  hostKey: string;
  role: WorkspaceRole;
}

/**
 * Whom the host knows, and as what. Asked on every call, on a connection that wears habeas_host, so that a role
 * taken away at the host is gone here with the next call.
 */
@Injectable()
export class HostPeople {
  constructor(private readonly host: HostMap) {}

  /** The claim that says who signs in, by the data map; undefined where nobody can. */
  get signIn(): { kind: string; claim: string; claimIsKey: boolean } | undefined {
    const kind = Object.values(this.host.map.subjects).find((k) => k.signIn);
    if (!kind?.signIn) return undefined;
    const { claim, column } = kind.signIn;
    return { kind: kind.name, claim, claimIsKey: kind.key.length === 1 && kind.key[0] === column };
  }

  /** `erased`: their row is what an erasure has left of it, and the sign-in is nobody's any more. */
  async bySignIn(
    host: SqlRunner,
    claim: string,
    value: string,
  ): Promise<{ subject: SubjectRef; erased: boolean } | undefined> {
    const found = await this.host.people.bySignIn(host, { [claim]: value });
    const subject = refOf(found);
    return found && subject && { subject, erased: mailsOf(this.host.map, found).some(isNobodys) };
  }

  /** Somebody of the kind that signs in, by their key. */
  async byKey(host: SqlRunner, key: string): Promise<SubjectRef | undefined> {
    const kind = this.signIn?.kind;
    return kind === undefined ? undefined : refOf(await this.host.people.byKey(host, kind, key));
  }

  /** Everybody of the kind that signs in whose mail this is. */
  async byMail(host: SqlRunner, mail: string): Promise<SubjectRef[]> {
    const kind = this.signIn?.kind ?? '';
    const identifiers = Object.values(this.host.map.subjects[kind]?.identifiers ?? {});
    const found: SubjectRef[] = [];
    for (const { name } of identifiers.filter(({ normalise }) => normalise === 'mail')) {
      for (const person of await this.host.people.find(host, name, mail, kind)) {
        if (!found.some(({ key }) => key === person.key)) found.push({ kind, key: person.key });
      }
    }
    return found;
  }

  /**
   * What a person is in a workspace now.
   * @param hostKey the host's key, where the directory knows it already
   */
  async membership(
    host: SqlRunner,
    person: SubjectRef,
    workspace: string,
    hostKey?: string,
  ): Promise<Membership | undefined> {
    const workspaces = this.host.workspaces;
    if (hostKey !== undefined) {
      const role = await workspaces.role(host, person, hostKey);
      return role && { hostKey, role };
    }
    const mine = await workspaces.memberships(host, person);
    const here = mine.find((membership) => workspaceId(membership.workspace) === workspace);
    return here && { hostKey: here.workspace, role: here.role };
  }

  /**
   * The host's key of a workspace that the directory has not seen yet. Only keys that are uuids themselves can be
   * told from the id; others are first seen through a member.
   */
  async hostKeyOf(host: SqlRunner, workspace: string): Promise<string | undefined> {
    return (await this.host.workspaces.workspaceName(host, workspace)) === undefined ? undefined : workspace;
  }
}

const refOf = (person?: SubjectRef): SubjectRef | undefined =>
  person && { kind: person.kind, key: person.key };
