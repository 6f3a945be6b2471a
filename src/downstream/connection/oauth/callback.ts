import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeError } from '../../../base/errors.js';

const path = '/callback';

/** Where the browser comes back to after a login: a port of this machine that nobody else can reach (RFC 8252, 7.3). */
export interface Callback {
  redirectUri: string;
  /** What the redirect with this `state` says. Others are turned away, and told of by `onStranger`. */
  wait(state: string, options: { signal: AbortSignal; onStranger(): void }): Promise<URLSearchParams>;
  close(): void;
}

/** Listens on a port, any free one unless given. Throws `unavailable` if it is taken. */
export async function openCallback(port = 0): Promise<Callback> {
  const servers: Server[] = [];
  let answer = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end();
  const listen = async (host: string, on: number): Promise<number> => {
    const server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(on, host, resolve));
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  try {
    const taken = await listen('127.0.0.1', port);
    // Browsers may take either for localhost; a machine need not have the second one.
    await listen('::1', taken).catch(() => {});
    return {
      redirectUri: `http://localhost:${taken}${path}`,
      wait: (state, { signal, onStranger }) =>
        new Promise((resolve, reject) => {
          const stop = () => reject(signal.reason);
          signal.addEventListener('abort', stop, { once: true });
          if (signal.aborted) stop();
          answer = (request, response) => {
            const found = answerRedirect(request, response, state);
            if (found === 'stranger') onStranger();
            else if (found) resolve(found);
          };
        }),
      close() {
        for (const server of servers) {
          server.close();
          server.closeIdleConnections();
        }
      },
    };
  } catch (error) {
    throw new RuntimeError(
      'unavailable',
      `The port ${port} cannot be listened on: ${error instanceof Error ? error.message : error}.`,
      'Free it, or correct oauth.callbackPort of the server.',
      { cause: error },
    );
  }
}

function answerRedirect(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  state: string,
): URLSearchParams | 'stranger' | undefined {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  // In plain text, since it is said in part by whoever has made the address; the connection ends, so that the port does.
  const say = (status: number, text: string) =>
    void response
      .writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'close',
      })
      .end(`${text}\n`);
  if (pathname !== path || method !== 'GET') return say(404, 'There is nothing here.') as undefined;
  if (!isSame(searchParams.get('state') ?? '', state)) {
    say(400, 'This is not the login that was begun. Nothing was done.');
    return 'stranger';
  }
  const isGiven = searchParams.has('code');
  say(isGiven ? 200 : 400, isGiven ? 'Done. You can close this page.' : 'The login was refused. See the terminal.');
  return searchParams;
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
