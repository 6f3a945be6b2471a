import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Implementation, JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { isObject } from '../base/json.js';

/** Where a message of protocol 2026-07-28 says so; earlier ones have nothing there. */
const versionKey = 'io.modelcontextprotocol/protocolVersion';
const clientKey = 'io.modelcontextprotocol/clientInfo';

export interface Eras {
  /** Loads what serves the protocol until 2025-11-25, which then takes the transport itself. */
  loadLegacy(): Promise<(transport: Transport) => Promise<unknown>>;
  /** Serves 2026-07-28 on a transport that leads to the same client. */
  connectModern(transport: Transport): Promise<unknown>;
  /** A client that speaks 2026-07-28 has come to stay: it has asked for more than what the server is. */
  onModernClient(client: Implementation | undefined): void;
  onProblem(message: string): void;
}

/**
 * Lets the client's first request decide which version of the protocol is served (MCP spec 2026-07-28, versioning). One
 * that only asks what the server is, as clients do that speak both, decides nothing.
 */
export async function serveEras(wire: Transport, eras: Eras): Promise<void> {
  let modern: Channel | undefined;
  let hasStayed = false;

  function toModern(message: JSONRPCMessage): void {
    if (!modern) {
      modern = new Channel(wire);
      void eras.connectModern(modern).catch((error: unknown) => eras.onProblem(String(error)));
    }
    if (!hasStayed && 'method' in message && message.method !== 'server/discover') {
      hasStayed = true;
      eras.onModernClient(clientOf(message));
    }
    modern.deliver(message);
  }

  function toLegacy(message: JSONRPCMessage): void {
    const early = [message];
    wire.onmessage = (next) => void early.push(next);
    const connect = async () => {
      const connectTo = await eras.loadLegacy();
      delete wire.onmessage;
      const connected = connectTo(wire);
      for (const each of early) receiverOf(wire)?.(each);
      await connected;
    };
    connect().catch((error: unknown) => eras.onProblem(String(error)));
  }

  wire.onmessage = (message) => {
    if (hasStayed || isModern(message)) toModern(message);
    else if ('method' in message && 'id' in message) toLegacy(message);
    else eras.onProblem('a message came before any request');
  };
  await wire.start();
  // Most clients speak it still, and one that is slow to ask should be answered at once.
  const loading = setTimeout(() => void eras.loadLegacy().catch(() => {}), preloadMs).unref();
  const receive = wire.onmessage;
  wire.onmessage = (message) => {
    clearTimeout(loading);
    receive(message);
  };
}

/** A client that has started this process has asked by now; one that waits longer would wait for the loading too. */
const preloadMs = 20;

/** Whoever has connected to the transport since: the compiler takes it for whoever had before. */
const receiverOf = (transport: Transport): Transport['onmessage'] => transport.onmessage;

function metaOf(message: JSONRPCMessage): Record<string, unknown> {
  const params = 'params' in message ? message.params : undefined;
  return isObject(params) && isObject(params._meta) ? params._meta : {};
}

const isModern = (message: JSONRPCMessage): boolean => versionKey in metaOf(message);

function clientOf(message: JSONRPCMessage): Implementation | undefined {
  const client = metaOf(message)[clientKey];
  return isObject(client) && typeof client.name === 'string' ? (client as Implementation) : undefined;
}

/** One end of a connection of which another has the wire. What comes before it is listened to is kept. */
class Channel implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  readonly #wire: Transport;
  #early: JSONRPCMessage[] | undefined = [];

  constructor(wire: Transport) {
    this.#wire = wire;
  }

  async start(): Promise<void> {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.onmessage?.(message);
  }

  deliver(message: JSONRPCMessage): void {
    if (this.#early) this.#early.push(message);
    else this.onmessage?.(message);
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.#wire.send(message);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }
}
