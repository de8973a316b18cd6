import { DomainError } from '../errors.js';

export const requestStatuses = [
  'received',
  'verifying',
  'scheduled',
  'in_progress',
  'failed',
  'fulfilled',
  'refused',
  'withdrawn',
] as const;
export type RequestStatus = (typeof requestStatuses)[number];
export type Outcome = 'full' | 'partial' | 'no_data';

/** Which states there are, and what leads where. Extensions, pauses, holds and approvals are rows, not states. */
export const lifecycle = {
  received: ['verifying', 'scheduled', 'in_progress', 'refused', 'withdrawn'],
  verifying: ['scheduled', 'in_progress', 'refused', 'withdrawn'],
  scheduled: ['in_progress', 'refused', 'withdrawn'],
  in_progress: ['fulfilled', 'refused', 'withdrawn', 'failed'], // withdrawn only until the first irreversible batch
  failed: ['in_progress', 'refused', 'withdrawn'],
  fulfilled: [],
  refused: [],
  withdrawn: [],
} as const satisfies Record<RequestStatus, readonly RequestStatus[]>;

export const isOpen = (status: RequestStatus): boolean => lifecycle[status].length > 0;

/** @throws DomainError `request.closed` */
export function assertOpen(status: RequestStatus): void {
  if (!isOpen(status))
    throw new DomainError('request.closed', `This request is ${status}; nothing about it changes any more.`);
}

/** @throws DomainError `request.closed` or `request.wrong_status` for what the table does not allow */
export function assertLeads(from: RequestStatus, to: RequestStatus): void {
  assertOpen(from);
  if (!(lifecycle[from] as readonly RequestStatus[]).includes(to)) {
    throw new DomainError(
      'request.wrong_status',
      `A request that is ${from.replace('_', ' ')} cannot become ${to.replace('_', ' ')}.`,
    );
  }
}
