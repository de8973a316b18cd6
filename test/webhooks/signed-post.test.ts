import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { payload, signatureHeaders, signedPost } from '../../src/webhooks/signed-post.js';
import { Receiver } from './receiver.js';

/** The example that the specification's own libraries are tested with. */
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  at: new Date(1614265330_000),
  body: '{"test": 2432232314}',
};

describe('a signed message', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await Receiver.open();
  });
  afterAll(() => receiver.close());

  test('has the signature that Standard Webhooks publishes for its example', () => {
    expect(signatureHeaders(vector)).toEqual({
      'webhook-id': vector.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('is known by the specification’s library as it arrives, by either of two secrets, and by no other', async () => {
    const [first, second, other] = ['a', 'b', 'c'].map(
      (letter) => `whsec_${Buffer.alloc(32, letter).toString('base64')}`,
    ) as [string, string, string];
    const body = payload('workspace.purged', new Date('2026-11-20T12:00:00Z'), { name: 'ü' });
    const { status } = await signedPost({
      url: receiver.url,
      secret: [second, first],
      id: 'msg_1',
      at: new Date(),
      body,
      reach: 'local',
    });
    expect(status).toBe(204);
    const [message] = receiver.received as [(typeof receiver.received)[0]];
    for (const secret of [first, second])
      expect(new Webhook(secret).verify(message.body, message.headers)).toEqual({
        type: 'workspace.purged',
        timestamp: '2026-11-20T12:00:00.000Z',
        data: { name: 'ü' },
      });
    expect(() => new Webhook(other).verify(message.body, message.headers)).toThrow('No matching signature');
    expect(() => new Webhook(first).verify(`${message.body} `, message.headers)).toThrow();
    expect(() =>
      new Webhook(first).verify(message.body, { ...message.headers, 'webhook-id': 'msg_2' }),
    ).toThrow();
  });
});
