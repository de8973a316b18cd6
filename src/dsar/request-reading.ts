import { Injectable } from '@nestjs/common';
import { type Tenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type ApiToken, type Person } from '../identity/principal.js';
import { RequestView } from './request-view.js';
import { Requests } from './requests.js';
import { type PartDetail, type RequestDetail } from './requests.schema.js';
import { WorkspaceRequests } from './filing/workspace-requests.js';

/** One request, read by whoever may: the person, staff, or the tenant it touches. */
@Injectable()
export class RequestReading {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly view: RequestView,
    private readonly workspaces: WorkspaceRequests,
  ) {}

  /** By the person themselves, in the tenancy that runs it. */
  own(tenancy: Tenancy, id: string): Promise<RequestDetail> {
    return this.database.within(tenancy, async (tx) =>
      this.view.of(tx, await this.requests.find(tx, id), 'subject'),
    );
  }

  /** By staff who just filed it, in the tenancy that runs it. */
  ofStaff(tenancy: Tenancy, id: string): Promise<RequestDetail> {
    return this.database.within(tenancy, async (tx) =>
      this.view.of(tx, await this.requests.find(tx, id), 'staff'),
    );
  }

  /** In a tenant: the request it runs, or its own part, as far as the caller may see it. @throws DomainError `request.not_found` */
  inTenant(tenancy: Tenancy, id: string, caller?: Person | ApiToken): Promise<RequestDetail | PartDetail> {
    return this.workspaces.read(tenancy, id, caller);
  }
}
