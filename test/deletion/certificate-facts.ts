import { Duration } from 'luxon';
import { Signing } from '../../src/keys/signing.js';
import { type ErasureFacts } from '../../src/deletion/certificate/certificate.js';

/** The key of the test vectors: RFC 8032, section 7.1, test 1. */
export const vectorKey = new Signing(
  Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
);

/** The erasure that the test vectors are about: two workspaces and the account, with a tombstone left. */
export const vectorFacts: ErasureFacts = {
  job: {
    id: '0f8fad5b-d9cb-469f-a165-70867728950e',
    jobId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    scope: 'account',
  },
  outcomes: [
    step('messages', 'workspace', 'delete', {
      workspace: 'a',
      rows: 41,
      done: 41,
      files: 3,
      filesRemoved: 3,
    }),
    step('messages', 'workspace', 'delete', { workspace: 'b', rows: 1, done: 1 }),
    step('rooms', 'workspace', 'tombstone', { workspace: 'b', rows: 2, done: 2, pendingSweep: 2 }),
    step('invoices', 'host', 'keep', {
      rows: 5,
      ground: '§ 147 AO,\n  Art. 17(3)(b) GDPR',
      until: 'Eight years after the end of the year of issue.',
    }),
    step('users', 'host', 'pseudonymise', { rows: 1, done: 1 }),
  ],
  dataMap: 'c1f0c7e2a5d34b6f8e9a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566'.slice(0, 64),
  law: 'gdpr',
  completedAt: new Date('2026-11-20T12:00:00Z'),
  mentions: 2,
  backupHorizon: Duration.fromISO('P30D'),
  issuer: 'https://privacy.example',
};

type Outcome = ErasureFacts['outcomes'][number];

function step(
  collection: string,
  controller: Outcome['controller'],
  rule: Outcome['rule'],
  rest: Partial<Outcome>,
): Outcome {
  const none = { rows: 0, files: 0, done: 0, filesRemoved: 0, pendingSweep: 0 };
  return { collection, controller, rule, ...none, ...rest };
}
