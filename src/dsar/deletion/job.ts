import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HOST_TENANT } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type Subject } from '../../datamap/settings.js';
import { Eraser } from '../../deletion/eraser.js';
import { type ErasureJob, subjectId } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { LedgerDigests, type LedgerEntry } from '../../deletion/ledger/entry.js';
import { jobOfPeople } from '../../deletion/ledger/job.js';
import { DomainError } from '../../errors.js';
import { keptFor, keptOf } from '../refusal/kept-places.js';
import { type Part, takesPart } from '../parts.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** A person's deletion as the erasure that carries it out. */
@Injectable()
export class DeletionJob {
  constructor(
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly eraser: Eraser,
    private readonly erasures: Erasures,
    private readonly digests: LedgerDigests,
  ) {}

  /**
   * The erasure of these parts as it would be begun now: new ids and pseudonyms, identifiers as the host has them.
   * @throws DomainError `datamap.drift`
   */
  async draft(tx: UnitOfWork, request: Request, parts: readonly Part[]): Promise<ErasureJob> {
    this.host.assertFits();
    // Without its key nothing of that workspace would be found, and nobody would notice.
    if (parts.some(({ tenant, hostKey }) => tenant !== HOST_TENANT && hostKey === null))
      throw new DomainError('erasure.workspace_unknown', 'A part’s workspace is not in the directory.');
    const { subjects, names } = await this.people(tx, request);
    // The account's own part may have been refused: what the host decides about then stays.
    const isAccount = parts.some(({ tenant }) => tenant === HOST_TENANT);
    const kept = keptFor(request, await keptOf(tx, request));
    return {
      id: randomUUID(),
      tenant: request.tenant,
      jobId: request.id,
      scope: isAccount ? 'account' : 'person',
      subjects,
      workspaces: parts.flatMap(({ hostKey }) => hostKey ?? []),
      pseudonyms: Object.fromEntries(subjects.map((subject) => [subjectId(subject), randomUUID()])),
      names,
      ...(kept.length > 0 && { kept }),
    };
  }

  /**
   * The erasure that the ledger has of this request, of the same people as they are now.
   * @throws DomainError `datamap.drift`, `ledger.conflict`
   */
  async again(tx: UnitOfWork, request: Request, entry: LedgerEntry): Promise<ErasureJob> {
    this.host.assertFits();
    const { subjects, names } = await this.people(tx, request);
    return { ...jobOfPeople(entry, subjects, this.host, this.digests), names };
  }

  /** The erasure that has begun for this request, else a new one, planned and kept. */
  async begin(tx: UnitOfWork, request: Request, parts: readonly Part[]): Promise<ErasureJob> {
    const known = await this.begun(tx, request);
    return known ?? this.eraser.begin(tx, await this.draft(tx, request, parts.filter(takesPart)));
  }

  /** The erasure that has begun for this request, while it is known whom it is about. */
  async begun(tx: UnitOfWork, request: Request): Promise<ErasureJob | undefined> {
    return this.erasures.ofJob(tx, request.id).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'erasure.not_found') return undefined;
      throw error;
    });
  }

  /** Identifiers and names as the host has them. */
  private async people(tx: UnitOfWork, { id }: Request): Promise<{ subjects: Subject[]; names: string[] }> {
    const refs = await this.requests.subjects(tx, id);
    const subjects: Subject[] = [];
    const names: string[] = [];
    await tx.asHost(async (host) => {
      for (const { kind, key } of refs) {
        const known = await this.host.people.byKey(host, kind, key);
        const { display } = await this.host.people.profile(host, { kind, key });
        subjects.push(known ?? { kind, key, identifiers: {} });
        if (display !== null) names.push(display);
      }
    });
    return { subjects, names };
  }
}
