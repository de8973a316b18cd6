import { describe, expect, test } from '@jest/globals';
import {
  assertLeads,
  isOpen,
  lifecycle,
  type RequestStatus,
  requestStatuses,
} from '../../src/dsar/request-lifecycle.js';

/** Every state that some path leads to, the first one included. */
function reachableFrom(start: RequestStatus): Set<RequestStatus> {
  const reached = new Set<RequestStatus>([start]);
  for (const status of reached) for (const next of lifecycle[status]) reached.add(next);
  return reached;
}

describe('the lifecycle of a request', () => {
  test('knows every state, and reaches each of them from the first', () => {
    expect(Object.keys(lifecycle).sort()).toEqual([...requestStatuses].sort());
    expect([...reachableFrom('received')].sort()).toEqual([...requestStatuses].sort());
  });

  test.each(requestStatuses.filter(isOpen))(
    'a request that is %s can close, and be refused or withdrawn at once',
    (status) => {
      expect([...reachableFrom(status)].some((reached) => !isOpen(reached))).toBe(true);
      expect(lifecycle[status]).toEqual(expect.arrayContaining(['refused', 'withdrawn']));
    },
  );

  test('fulfilled, refused and withdrawn are ends: nothing leads out of them', () => {
    expect(requestStatuses.filter((status) => !isOpen(status))).toEqual([
      'fulfilled',
      'refused',
      'withdrawn',
    ]);
    for (const status of requestStatuses)
      expect(() => assertLeads('fulfilled', status)).toThrow(
        expect.objectContaining({ code: 'request.closed' }),
      );
  });

  test('only work that began is fulfilled, and only work that failed begins again', () => {
    const before = (to: RequestStatus) =>
      requestStatuses.filter((from) => (lifecycle[from] as readonly RequestStatus[]).includes(to));
    expect(before('fulfilled')).toEqual(['in_progress']);
    expect(before('failed')).toEqual(['in_progress']);
    expect(before('in_progress')).toEqual(['received', 'verifying', 'scheduled', 'failed']);
    expect(before('received')).toEqual([]);
  });

  test('a step that the table does not name is refused by its name', () => {
    expect(() => assertLeads('scheduled', 'fulfilled')).toThrow(
      expect.objectContaining({
        code: 'request.wrong_status',
        message: 'A request that is scheduled cannot become fulfilled.',
      }),
    );
    expect(() => assertLeads('failed', 'in_progress')).not.toThrow();
  });
});
