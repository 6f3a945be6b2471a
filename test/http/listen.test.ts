import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/http/listen.js';

/** A port that another program has, and the one behind it. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

const answer = () => {};

it('a taken port that was asked for is named, with what to do', async () => {
  const port = await takenPort();
  const asked = listen(answer, { host: '127.0.0.1', port, isExact: true });
  await expect(asked).rejects.toMatchObject({
    code: 'unavailable',
    message: `Port ${port} on 127.0.0.1 is taken.`,
    hint: 'Choose another with --port.',
  });
});

it('where none was asked for, the next free one is taken', async () => {
  const port = await takenPort();
  const found = await listen(answer, { host: '127.0.0.1', port, isExact: false });
  onTestFinished(() => void found.server.close());
  expect(found.port).toBeGreaterThan(port);
  expect(found.port).toBeLessThan(port + 20);
});

it('a host that is none of this machine is named', async () => {
  const asked = listen(answer, { host: '192.0.2.1', port: 0, isExact: true });
  await expect(asked).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('192.0.2.1') });
});
