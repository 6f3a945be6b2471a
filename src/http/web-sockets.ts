import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';

/** How a route takes the connection of its request as a WebSocket. `onClose` is called when it has ended, open or not. */
export type AcceptSocket = (open: (socket: WebSocket) => void, onClose: () => void) => Response;

export interface WebSocketNeeds {
  /** Answers a request for a WebSocket: by `accept`, or with a refusal. */
  answer(request: Request, accept: AcceptSocket): Response | Promise<Response>;
  pingMs?: number | undefined;
}

export interface WebSockets {
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Clients have nothing to say. */
const largestMessage = 64 * 1024;

/** The subprotocol of clients that give their token in another one, because they can send no header, as pages cannot. */
const ownProtocol = 'agent-runtime';
const tokenPrefix = 'bearer.';

/** How long an end is waited for before a connection is cut. */
const goodbyeMs = 500;

/** WebSockets (RFC 6455) at `/ws`, and at `/` where the task coordinator had its own, on a server of requests. */
export function acceptWebSockets(server: Server, { answer, pingMs = 30_000 }: WebSocketNeeds): WebSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: largestMessage,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has(ownProtocol) && ownProtocol,
  });
  const silent = new WeakSet<WebSocket>();
  const ping = (): void => {
    for (const socket of sockets.clients) {
      // It has not answered the last one.
      if (silent.has(socket)) socket.terminate();
      silent.add(socket);
      socket.ping();
    }
  };
  // A process that was held up, or stopped for a while, reads the answers that have come before it looks for them.
  const pinging = setInterval(() => setImmediate(ping), pingMs).unref();
  sockets.on('connection', (socket: WebSocket) => {
    // What is wrong with a frame closes the connection, with a code that says so.
    socket.on('error', () => {});
    socket.on('pong', () => void silent.delete(socket));
  });

  async function upgrade(incoming: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    stream.on('error', () => {});
    let opening: ((socket: WebSocket) => void) | undefined;
    const response = await answer(requestOf(incoming), (open, onClose) => {
      opening = open;
      if (stream.destroyed) onClose();
      else stream.once('close', onClose);
      return new Response(null);
    });
    const open = opening;
    if (!open) return refuse(stream, response);
    sockets.handleUpgrade(incoming, stream, head, (socket) => {
      sockets.emit('connection', socket, incoming);
      open(socket);
    });
  }

  server.on('upgrade', (incoming: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (!isForWebSocket(incoming)) return answerAsRequest(server, incoming, stream, head);
    upgrade(incoming, stream, head).catch(() => stream.destroy());
  });

  return {
    async close() {
      clearInterval(pinging);
      const open = [...sockets.clients];
      for (const socket of open) socket.close(1001, 'The server ends.');
      const ends = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      if (open.length > 0) await Promise.race([Promise.all(ends), sleep(goodbyeMs)]);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function isForWebSocket({ headers, url = '' }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && /^\/(ws)?(\?|$)/.test(url);
}

/**
 * A request that asks for something else than it may have, such as HTTP/2, is answered as if it had not asked (RFC 9110,
 * 7.8); Java's client asks for that with each first request. Node no longer reads the stream of one that asks: so it is
 * given the request again, without its wish.
 */
function answerAsRequest(server: Server, incoming: IncomingMessage, stream: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = incoming;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (['upgrade', 'http2-settings'].includes(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`);
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', stream);
}

/** The options of the connection that remain. */
function withoutUpgrade(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  const kept = options.filter((option) => !['upgrade', 'http2-settings', ''].includes(option.toLowerCase()));
  return kept.length === 0 ? 'keep-alive' : kept.join(', ');
}

/** A token in a subprotocol stands for an Authorization header. */
function requestOf({ url = '/', headers: given }: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const protocols = (given['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const token = protocols.find((protocol) => protocol.startsWith(tokenPrefix));
  if (token && !headers.has('authorization')) {
    headers.set('authorization', `Bearer ${token.slice(tokenPrefix.length)}`);
  }
  return new Request(new URL(url, 'http://127.0.0.1'), { headers });
}

async function refuse(stream: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set('Content-Length', String(body.length));
  headers.set('Connection', 'close');
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`, ...lines].join('\r\n');
  stream.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), body]));
}
