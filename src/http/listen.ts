import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, RuntimeError } from '../base/errors.js';

export interface Listening {
  server: Server;
  port: number;
}

export interface ListenOptions {
  host: string;
  port: number;
  /** Whether the port was asked for: otherwise the next free one will do. */
  isExact: boolean;
}

/** How many ports are tried in a row where none was asked for. */
const mostTries = 20;

/** Listens. Throws `unavailable` when the port is taken, or the host is none of this machine's. */
export async function listen(listener: RequestListener, { host, port, isExact }: ListenOptions): Promise<Listening> {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 5_000 }, listener);
  const last = isExact ? port : port + mostTries - 1;
  for (let next = port; ; next++) {
    try {
      return { server, port: await listenAt(server, host, next) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const isTaken = code === 'EADDRINUSE' || code === 'EACCES';
      if (isTaken && next < last && next < 65_535) continue;
      throw explain(error, code, host, isExact ? `${port}` : `${port} to ${next}`);
    }
  }
}

function listenAt(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function explain(error: unknown, code: unknown, host: string, ports: string): RuntimeError {
  const cause = { cause: error };
  if (code === 'EADDRINUSE') {
    return new RuntimeError('unavailable', `Port ${ports} on ${host} is taken.`, 'Choose another with --port.', cause);
  }
  if (code === 'EACCES') {
    return new RuntimeError(
      'unavailable',
      `Port ${ports} needs rights you do not have.`,
      'Choose one from 1024.',
      cause,
    );
  }
  const message = messageOf(error);
  return new RuntimeError('unavailable', `Cannot listen on ${host}: ${message}.`, 'Choose another --host.', cause);
}
