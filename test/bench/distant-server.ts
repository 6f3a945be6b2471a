import { connect, createServer, type Socket } from 'node:net';

export interface DistantServer {
  port: number;
  close(): void;
}

/** A server on loopback as hosts of a network see it: each way takes some milliseconds. */
export async function atDistance(serverPort: number, ms: number): Promise<DistantServer> {
  const sockets = new Set<Socket>();
  const line = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    const end = () => {
      for (const socket of [client, server]) socket.destroy();
    };
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (data) => setTimeout(() => to.writable && to.write(data), ms));
      from.on('error', end).on('close', end);
    }
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const address = line.address();
  if (address === null || typeof address === 'string') throw new Error('The line has no port.');
  return {
    port: address.port,
    close() {
      line.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
