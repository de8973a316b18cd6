import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { workspaceIds } from '../../demo/people.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { Webhooks } from '../../src/webhooks/webhooks.js';
import { Courier } from '../../src/webhooks/courier.js';
import { CrashingWorker } from '../support/crashing-worker.js';
import { TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from './receiver.js';

const { acme } = workspaceIds;

describe('a worker that is killed (SIGKILL) while it carries a message', () => {
  let desk: TestDesk;
  let receiver: Receiver;
  let webhookId: string;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false });
    receiver = await Receiver.open();
    const owner = await desk.as('owner');
    const types = ['workspace.purged'];
    const made = await owner.post(`/v1/workspaces/${acme}/webhooks`, { url: receiver.url, types });
    expect(made.status).toBe(201);
    webhookId = (made.body as { id: string }).id;
  }, 60_000);
  afterAll(async () => {
    await receiver.close();
    await desk.close();
  });

  test('leaves it to another, which sends it under the same id; whoever counts by id counts it once', async () => {
    const seen: { step: string | undefined; sent: number }[] = [];
    for (let killAt = 1; killAt <= 8; killAt++) {
      const before = receiver.received.length;
      await desk.db.database.within(systemTenancy(acme, 'test'), (tx) =>
        desk.app.get(Webhooks).announce(tx, { type: 'workspace.purged', data: { killAt } }),
      );
      const [delivery] = await desk.db.behindTheScenes<{ id: string }>(
        `select id from habeas.webhook_deliveries where status = 'pending'`,
      );
      const id = delivery?.id ?? '';
      const worker = CrashingWorker.boot(desk, 'coarse');
      await worker.work(killAt);
      const stateOf = async () =>
        (
          await desk.db.behindTheScenes<{ status: string }>(
            'select status from habeas.webhook_deliveries where id = $1',
            [id],
          )
        )[0]?.status;
      await eventually(async () => worker.killed || (await stateOf()) === 'delivered', 60_000);
      await worker.stop();
      // What it held is free again a minute later, and the sweep finds it; another worker carries it.
      desk.clock.advance(61_000);
      await desk.sweep();
      await desk.app.get(Courier).run({ tenant: acme, id: webhookId });
      expect(await stateOf()).toBe('delivered');
      const sent = receiver.received.slice(before).map(({ headers }) => headers['webhook-id']);
      expect(sent.length).toBeGreaterThan(0);
      expect(new Set(sent)).toEqual(new Set([id]));
      seen.push({ step: worker.lastStep, sent: sent.length });
      await desk.db.behindTheScenes('delete from habeas_jobs.job');
    }
    // It died before, between and after: at least once it had been taken and nobody knew.
    expect(seen.filter(({ sent }) => sent === 2).length).toBeGreaterThan(0);
    expect(seen.filter(({ sent }) => sent === 1).length).toBeGreaterThan(2);
  }, 180_000);
});
