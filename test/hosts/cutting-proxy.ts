import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** How a line to the database fails. */
export interface CuttingProxy {
  port: number;
  /** Connections that it carries now. */
  count(): number;
  /**
   * The next commit reaches the server (`answer`) or not (`question`), and its connection is cut without an answer; with
   * `alsoInterrupts` all others too, as by `interrupt`.
   */
  cutAtCommit(lost: 'answer' | 'question', options?: { alsoInterrupts?: boolean }): void;
  /** Resolves to how many commits were cut. */
  cuts(): number;
  /** Cuts all connections, and takes no others until `restore`. */
  interrupt(): void;
  /** Takes connections again: to the same server, or to another one. */
  restore(port?: number): void;
}

/** A line to a server on loopback that can be cut. It ends with the test. */
export async function cuttingProxy(firstPort: number): Promise<CuttingProxy> {
  let lost: 'answer' | 'question' | undefined;
  let cuts = 0;
  let serverPort = firstPort;
  let willInterrupt = false;
  let isInterrupted = false;
  const pairs = new Set<readonly [Socket, Socket]>();
  const proxy = createServer((client) => {
    if (isInterrupted) {
      client.destroy();
      return;
    }
    const server = connect(serverPort, '127.0.0.1');
    const pair = [client, server] as const;
    pairs.add(pair);
    let isMuted = false;
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (data) => {
      const isCut = lost !== undefined && /\bcommit\0/.test(data.toString('latin1'));
      if (!isCut) {
        server.write(data);
        return;
      }
      cuts++;
      isMuted = true;
      if (lost === 'question' && willInterrupt) interrupt();
      else if (lost === 'question') end();
      else server.write(data);
      lost = undefined;
    });
    server.on('data', (data) => {
      if (isMuted && willInterrupt) interrupt();
      else if (isMuted) end();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  function cutAll(): void {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  }
  function interrupt(): void {
    isInterrupted = true;
    cutAll();
  }
  onTestFinished(() => {
    proxy.close();
    cutAll();
  });
  const address = proxy.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    count: () => pairs.size,
    cutAtCommit(what, { alsoInterrupts = false } = {}) {
      willInterrupt = alsoInterrupts;
      lost = what;
    },
    cuts: () => cuts,
    interrupt,
    restore(port = serverPort) {
      serverPort = port;
      isInterrupted = false;
    },
  };
}
