import { type SubjectRef } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';

/**
 * Whose copy of their data is being put together, or waits to be fetched: nothing of theirs goes in the meantime.
 * Deletion knows no requests, so whoever does (dsar) answers. Both questions are asked in the tenant that `tx` is in.
 */
export interface OpenAccess {
  /** People, members or customers, with an access that touches this tenant. */
  subjects(tx: UnitOfWork): Promise<SubjectRef[]>;
  /** Since when the oldest matter of this tenant runs that is not closed, of any kind; null: none does. */
  openSince(tx: UnitOfWork): Promise<Date | null>;
  /** Whether a package of the whole tenant is open: then it waits for everybody. */
  ofWorkspace(tx: UnitOfWork): Promise<boolean>;
}

/** Nest's token of the port. */
export const OPEN_ACCESS = Symbol('open access');
