import { type AddressInfo, createServer as createRawServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { outgoing } from '../../src/http/outgoing.js';
import { mayReach, readTarget } from '../../src/http/outgoing-address.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../webhooks/receiver.js';

const outside = ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'];
const nearby = [
  '127.0.0.1',
  '127.9.9.9',
  '::1',
  '10.0.0.1',
  '172.16.3.4',
  '192.168.1.1',
  'fd00::1',
  '::ffff:127.0.0.1',
];
const nowhere = [
  '169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1', '0.0.0.0', '::', '100.64.0.1', '192.0.2.1',
  '198.18.0.1', '224.0.0.1', '255.255.255.255', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1', 'fec0::1',
  'ff02::1', '4000::1', '240.0.0.1', 'localhost', '', '1.2.3', '::ffff:0:7f00:1',
]; // prettier-ignore

describe('an address', () => {
  test.each(outside)('%s is on the open Internet', (address) => {
    expect(mayReach(address, 'public')).toBe(true);
  });

  test.each(nearby)('%s may be called for trying out, and never in production', (address) => {
    expect(mayReach(address, 'public')).toBe(false);
    expect(mayReach(address, 'local')).toBe(true);
  });

  test.each(nowhere)('%j may never be called', (address) => {
    expect(mayReach(address, 'public')).toBe(false);
    expect(mayReach(address, 'local')).toBe(false);
  });
});

describe('in production', () => {
  test.each([
    'http://hooks.example.org/', 'https://user@hooks.example.org/', 'https://:secret@hooks.example.org/', 'https://127.0.0.1/',
    'https://2130706433/', 'https://0x7f.1/', 'https://017700000001/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:169.254.169.254]/', 'https://169.254.169.254/latest/meta-data', 'https://localhost/', 'https://LOCALHOST./',
    'https://db.localhost/', 'https://printer.local/', 'https://metadata.google.internal/', 'https://intranet/', 'https://10.1.2.3/',
    'https://hooks.example.org:25/', 'https://hooks.example.org:22/', 'ftp://hooks.example.org/', 'file:///etc/passwd',
    'javascript:alert(1)', 'hooks.example.org', '', '//hooks.example.org', 'https://', 'https://[fd00::1]/', 'https://①②⑦.0.0.1/',
  ])('%s is refused before anything is looked up', (url) => {
    expect(() => readTarget(url, 'public')).toThrow(expect.objectContaining({ code: 'outgoing.url_refused' }));
  }); // prettier-ignore

  test.each([
    'https://hooks.example.org/in?x=1',
    'https://hooks.example.org:8443/',
    'https://8.8.8.8/',
    'https://[2606:4700::1]/',
  ])('%s may be called', (url) => {
    expect(readTarget(url, 'public').href).toBe(url);
  });
});

describe('a call to somebody else’s server', () => {
  let receiver: Receiver;
  const raw: Server[] = [];
  beforeAll(async () => {
    receiver = await Receiver.open();
  });
  afterEach(async () => {
    for (const server of raw.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  afterAll(() => receiver.close());
  const post = (url: string, more: Partial<Parameters<typeof outgoing>[1]> = {}) =>
    outgoing(url, { method: 'POST', body: '{"a":"ü"}', reach: 'local', ...more });

  test('arrives as it was meant', async () => {
    receiver.behaviour = (response) => response.writeHead(201, { 'retry-after': '7' }).end('thanks');
    const answer = await post(receiver.url, { headers: { 'x-one': 'two' } });
    expect(answer).toMatchObject({ status: 201, body: 'thanks', headers: { 'retry-after': '7' } });
    expect(receiver.received.at(-1)).toMatchObject({
      body: '{"a":"ü"}',
      headers: { 'x-one': 'two', 'user-agent': 'Habeas' },
    });
  });

  test('follows no redirect', async () => {
    const other = await Receiver.open();
    receiver.answer(302, { location: other.url });
    expect((await post(receiver.url)).status).toBe(302);
    expect(other.connections).toBe(0);
    await other.close();
  });

  test('reads 4 KiB of an answer without an end, and goes', async () => {
    let closed = false;
    receiver.behaviour = (response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(64 * 1024)), 1);
      response.on('close', () => {
        clearInterval(more);
        closed = true;
      });
    };
    const { body } = await post(receiver.url);
    expect(body).toBe('x'.repeat(4096));
    await eventually(() => closed);
  });

  test('does not wait for a server that says nothing, or only a little at a time', async () => {
    let heard = 0;
    // On a busy machine the time may be over before the server has even heard: then it is given more.
    const givenUp = async () => {
      for (let timeout = 200, isHeard = false; !isHeard; timeout *= 2) {
        heard = 0;
        await expect(post(receiver.url, { timeout })).rejects.toMatchObject({ code: 'outgoing.timeout' });
        isHeard = heard >= 3;
      }
    };
    receiver.behaviour = () => (heard = 3);
    await givenUp();
    receiver.behaviour = (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.', () => heard++), 20);
      response.on('close', () => clearInterval(drip));
    };
    await givenUp();
  });

  test('that is cut, answered with garbage or never taken is a failure with a code and no address', async () => {
    receiver.behaviour = (_, request) => request.socket.destroy();
    const cut = await post(receiver.url).catch((error: unknown) => error as Error);
    expect(cut).toMatchObject({ code: 'outgoing.unreachable' });
    expect((cut as Error).message).not.toContain('127.0.0.1');
    const garbage = createRawServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.6\r\n'));
    raw.push(garbage);
    await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
    const { port } = garbage.address() as AddressInfo;
    await expect(post(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'outgoing.unreachable' });
    await expect(post('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'outgoing.unreachable' });
  });

  test('is judged by the address it connects to, whatever the name said before (DNS rebinding)', async () => {
    const answers = [[{ address: '8.8.8.8', family: 4 }], [{ address: '169.254.169.254', family: 4 }]];
    let asked = 0;
    const resolve = () => Promise.resolve(answers[asked++] ?? []);
    await expect(resolve()).resolves.toEqual(answers[0]);
    await expect(post('http://hooks.example.org/', { resolve })).rejects.toMatchObject({
      code: 'outgoing.address_refused',
    });
    expect(asked).toBe(2);
  });

  test('goes nowhere when one of several addresses is not public', async () => {
    receiver.take();
    const before = receiver.connections;
    const url = `https://hooks.example.org:${receiver.port}/`;
    const resolve = () =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    await expect(post(url, { reach: 'public', resolve })).rejects.toMatchObject({
      code: 'outgoing.address_refused',
    });
    const none = () => Promise.resolve([]);
    await expect(post(url, { reach: 'public', resolve: none })).rejects.toMatchObject({
      code: 'outgoing.address_refused',
    });
    expect(receiver.connections).toBe(before);
  });

  test('reaches a name whose addresses may be called', async () => {
    receiver.take();
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect((await post(`http://hooks.example.org:${receiver.port}/`, { resolve })).status).toBe(204);
    expect(receiver.received.at(-1)?.headers.host).toBe(`hooks.example.org:${receiver.port}`);
  });
});
