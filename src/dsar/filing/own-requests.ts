import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { Directory } from '../../database/directory.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type Subject, settingsStatement } from '../../datamap/settings.js';
import { countQuery, reaches } from '../../datamap/walk.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { driftOr, unlessMisfit } from '../../datamap/misfit.js';
import { DomainError, notFound } from '../../errors.js';
import { type Person } from '../../identity/principal.js';
import { Filing } from './filing.js';
import { isFresh } from '../proof/fresh-sign-in.js';
import { People } from './people-of-tenant.js';
import { type Request, type RequestSubject } from '../request.js';
import { RequestLists } from '../request-lists.js';
import { type NewOwnRequest } from '../requests.schema.js';

type Own = Subject & Pick<RequestSubject, 'via'>;

/** What a signed-in person does for themselves, whatever workspaces they are in or were in. */
@Injectable()
export class OwnRequests {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly people: People,
    private readonly filing: Filing,
    private readonly lists: RequestLists,
    private readonly clock: Clock,
    private readonly directory: Directory,
  ) {}

  /** @throws DomainError `workspace.not_found`, `request.duplicate`, `person.unknown` */
  async file(
    tenancy: Tenancy,
    person: Person,
    { kind, scope, workspaceId: workspace, ...rest }: NewOwnRequest,
  ): Promise<Request> {
    const subjects = await this.subjectsOf(tenancy, person);
    // Only where the host's row of them could not be read: then the verified address is what is found again later.
    const unread = subjects.some(({ identifiers }) => Object.keys(identifiers).length === 0);
    const mail = unread && person.emailVerified ? person.mail : undefined;
    const tenant =
      workspace === undefined
        ? HOST_TENANT
        : await this.ownWorkspace(tenancy, subjects, workspace.toLowerCase());
    const filing = {
      kind,
      scope,
      channel: 'settings' as const,
      ...rest,
      ...(mail !== undefined && { mail }),
    };
    // What cannot be undone takes more than a session that somebody left open: a link goes to the person first.
    if (kind === 'deletion' && !isFresh(person, this.clock.now())) {
      const own = subjects.map((subject) => this.people.mailOf(subject)).find((known) => known !== undefined);
      return this.filing.file({ ...tenancy, tenant }, { ...filing, ...(own !== undefined && { mail: own }) });
    }
    return this.filing.file({ ...tenancy, tenant }, { ...filing, proven: { method: 'session', subjects } });
  }

  /** The tenancy that runs one of the person's own requests. @throws DomainError `request.not_found` */
  async tenancyOf(tenancy: Tenancy, person: Person, requestId: string): Promise<Tenancy> {
    const tenant = await this.lists.tenantOfOwn(person.subject, requestId);
    if (tenant === undefined) throw notFound('request');
    return { ...tenancy, tenant };
  }

  /** What is held about the person: per collection how many rows and what for; no values. */
  async data(tenancy: Tenancy, person: Person) {
    const subjects = await this.subjectsOf(tenancy, person);
    const { map, catalogue } = this.host.current();
    this.host.assertFits();
    const reached = Object.values(map.collections).filter(
      (collection) => !collection.builtIn && reaches(collection, { subjects }),
    );
    return this.database.asHost(async (host) => {
      const { sql, values } = settingsStatement({ subjects });
      await host.query(sql, values);
      const collections = [];
      for (const { name, title, controller, purpose, legalBasis } of reached) {
        const [count] = await host.query<{ rows: string }>(countQuery(map, catalogue, name, { subjects }));
        collections.push({ name, title, controller, purpose, legalBasis, rows: Number(count?.rows) });
      }
      return { collections };
    });
  }

  /**
   * A sign-in proves its own kind; other kinds join through a mail that the identity provider vouches for.
   * @throws DomainError `person.erased`, `person.unknown` for somebody who signs in but whom the host has no row of
   */
  private async subjectsOf(tenancy: Tenancy, person: Person): Promise<Own[]> {
    if (person.erased) {
      throw new DomainError(
        'person.erased',
        'What was known under this sign-in has been erased. A new request needs a new account, or goes to the controller.',
      );
    }
    const { subject } = person;
    const self: Own = { ...subject, identifiers: {}, via: 'session' };
    const found = await this.database
      .within(tenancy, (tx) => this.asHostKnows(tx, person))
      .catch(unlessMisfit(person.known ? [self] : []));
    if (found.length === 0) {
      throw new DomainError(
        'person.unknown',
        'You are signed in, but nothing here is known under this sign-in. Write to the controller instead.',
      );
    }
    return found;
  }

  private async asHostKnows(tx: UnitOfWork, { subject, mail, emailVerified }: Person): Promise<Own[]> {
    const self = await tx.asHost((host) => this.host.people.byKey(host, subject.kind, subject.key));
    if (!self) return [];
    const joined = mail !== undefined && emailVerified ? await this.people.behindMail(tx, mail) : [];
    const others = joined
      .filter(({ kind }) => kind !== self.kind)
      .map((other) => ({ ...other, via: 'email_verified' as const }));
    return [{ ...self, via: 'session' }, ...others];
  }

  /** A workspace that the person is in, or that holds something of theirs: the former member keeps this right. */
  private async ownWorkspace(tenancy: Tenancy, subjects: Subject[], tenant: string): Promise<string> {
    const own = await this.database
      .asHost(async (host) => {
        const memberships = [];
        for (const subject of subjects)
          memberships.push(...(await this.host.workspaces.memberships(host, subject)));
        return [
          ...memberships.map(({ workspace }) => workspace),
          ...(await this.host.workspaces.workspacesTouched(host, subjects)),
        ];
      })
      .catch(driftOr);
    const hostKey = own.find((key) => workspaceId(key) === tenant);
    if (hostKey === undefined) throw notFound('workspace');
    // Nobody may have called in its name yet, and only its row says what the host calls it.
    await this.database.within({ ...tenancy, tenant }, (tx) => this.directory.ensure(tx, hostKey));
    return tenant;
  }
}
