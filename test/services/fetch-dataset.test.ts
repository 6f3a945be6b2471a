import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readCifar10 } from '../../src/agents/ml-experiment/cifar10.js';
import { readMnist } from '../../src/agents/ml-experiment/mnist.js';
import { fetchDataset } from '../../src/services/fetch-dataset.js';
import { type RemoteDataset, type RemoteName, remoteDatasets } from '../../src/services/remote-datasets.js';
import { readTar } from '../../src/services/tar.js';
import { cifarBytes, writeMnist } from '../agents/ml-experiment/synthetic.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { tempDir } from '../support/temp-dir.js';

type Answer = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;

/** Answers with the whole file, or with the part that is asked for. */
const serve: Answer = (request, response, bytes) => {
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  if (from === undefined) response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  else {
    const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from)));
  }
};

/** Small files in the real formats behind a local server, with their own checksums. */
async function mirror() {
  const files = new Map<string, Buffer>();
  const packed = tempDir();
  writeMnist(packed, 20, 10, 28, true);
  for (const { name } of remoteDatasets.mnist.files) files.set(name, readFileSync(join(packed, name)));
  const batches = join(packed, 'cifar-10-batches-bin');
  mkdirSync(batches);
  for (const [index, name] of (remoteDatasets.cifar10.unpacks ?? []).entries()) {
    writeFileSync(join(batches, name), cifarBytes(5, index + 1));
  }
  writeFileSync(join(batches, 'readme.html'), 'About it.');
  // The archive of a real tar, not of our own idea of one.
  execFileSync('tar', ['-czf', join(packed, 'cifar.tar.gz'), '-C', packed, 'cifar-10-batches-bin']);
  files.set('cifar-10-binary.tar.gz', readFileSync(join(packed, 'cifar.tar.gz')));

  const requests: { name: string; range: string | undefined }[] = [];
  const settings = { answer: serve };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    requests.push({ name, range: request.headers.range });
    settings.answer(request, response, files.get(name) ?? Buffer.alloc(0));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const here = (dataset: RemoteDataset): RemoteDataset => ({
    ...dataset,
    files: dataset.files.map(({ name }) => {
      const bytes = files.get(name) ?? Buffer.alloc(0);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { name, bytes: bytes.length, sha256, urls: [`${origin}/${name}`] };
    }),
  });
  const sources = { mnist: here(remoteDatasets.mnist), cifar10: here(remoteDatasets.cifar10) };
  const dataDir = join(tempDir(), 'data');
  const signal = new AbortController().signal;
  const take = (name: RemoteName, more: object = {}) =>
    fetchDataset({ name, dataDir, mayReplace: false, signal, sources, ...more });
  const left = () => readdirSync(join(dataDir, 'downloads'));
  return { take, requests, settings, sources, dataDir, left };
}

it('MNIST is where training jobs read it, and is not downloaded twice', async () => {
  const { take, requests, dataDir, left } = await mirror();
  expect(await take('mnist')).toMatchObject({ directory: join(dataDir, 'mnist'), files: { length: 4 } });
  const data = readMnist({ limitTrain: undefined, limitTest: undefined }, dataDir);
  expect([data.train.count, data.test.count, left()]).toEqual([20, 10, []]);
  await expect(take('mnist')).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('--force') });
  expect(requests).toHaveLength(4);
});

it('CIFAR-10 is unpacked, without what else the archive holds', async () => {
  const { take, dataDir, left } = await mirror();
  await take('cifar10');
  const data = readCifar10({ limitTrain: undefined, limitTest: undefined }, dataDir);
  expect([data.train.count, data.test.count, data.warnings]).toEqual([25, 5, []]);
  expect(readdirSync(join(dataDir, 'cifar-10-batches-bin'))).not.toContain('readme.html');
  expect(left()).toEqual([]);
});

it('a download that breaks off goes on where it was', async () => {
  const { take, requests, settings, sources, dataDir, left } = await mirror();
  const { bytes = 0 } = sources.cifar10.files[0] ?? {};
  const half = Math.floor(bytes / 2);
  settings.answer = (_, response, body) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, half));
    const isKept = () => left().some((name) => statSync(join(dataDir, 'downloads', name)).size > 0);
    void eventually('a part is on the disk', isKept).then(() => response.destroy());
  };
  await expect(take('cifar10')).rejects.toMatchObject({
    code: 'unavailable',
    hint: expect.stringMatching(/^Run it again to go on at byte \d+ of \d+\.$/),
  });
  settings.answer = serve;
  await take('cifar10');
  expect(requests).toEqual([
    { name: 'cifar-10-binary.tar.gz', range: undefined },
    { name: 'cifar-10-binary.tar.gz', range: expect.stringMatching(/^bytes=[1-9]\d*-$/) },
  ]);
});

it('a file with another checksum is refused and leaves nothing', async () => {
  const { take, settings, dataDir, left } = await mirror();
  settings.answer = (request, response, bytes) => {
    const isLast = request.url?.includes('t10k-labels');
    serve(
      request,
      response,
      isLast ? Buffer.from(bytes.map((byte, place) => (place === 20 ? byte ^ 1 : byte))) : bytes,
    );
  };
  await expect(take('mnist')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /^t10k-labels-idx1-ubyte\.gz is not what it should be: its sha256 is [0-9a-f]{64}, not /,
    ),
  });
  expect(existsSync(join(dataDir, 'mnist'))).toBe(false);
  expect(left().some((name) => name.includes('t10k-labels'))).toBe(false);
  // The others are as they should be, and are not downloaded again.
  settings.answer = serve;
  await take('mnist');
});

it('a page of a portal, which is longer than the file, is refused too', async () => {
  const { take, settings, left } = await mirror();
  settings.answer = (_, response) => response.writeHead(200).end('<html>'.repeat(10_000));
  await expect(take('mnist')).rejects.toThrow('is not what it should be');
  expect(left()).toEqual([]);
});

it('another address is tried when one fails', async () => {
  const { take, sources, dataDir } = await mirror();
  const closed = `http://127.0.0.1:${await freePort()}/`;
  for (const file of sources.mnist.files) file.urls.unshift(closed);
  await take('mnist');
  expect(existsSync(join(dataDir, 'mnist'))).toBe(true);
});

it('without a network it says so, and nothing is there', async () => {
  const { take, sources, dataDir, left } = await mirror();
  const closed = `http://127.0.0.1:${await freePort()}/`;
  for (const file of sources.mnist.files) file.urls = [closed];
  await expect(take('mnist')).rejects.toMatchObject({
    code: 'unavailable',
    message: `train-images-idx3-ubyte.gz was not downloaded. ${new URL(closed).host}: no connection (ECONNREFUSED).`,
  });
  expect([left(), existsSync(join(dataDir, 'mnist'))]).toEqual([[], false]);
});

it('a damaged archive is named with its place', async () => {
  const archive = execFileSync('tar', ['-cf', '-', '-C', import.meta.dirname, 'fetch-dataset.test.ts']);
  expect(readTar(archive).map(({ name }) => name)).toEqual(['fetch-dataset.test.ts']);
  expect(() => readTar(archive.subarray(0, 1_024))).toThrow('The archive is damaged at byte 0');
  archive[3] = 0;
  expect(() => readTar(archive)).toThrow('the checksum of its header is wrong');
});
